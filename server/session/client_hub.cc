#include "server/session/client_hub.h"

#include <atomic>
#include <vector>

#include "server/session/session.h"

namespace tandem {

ClientHub::ClientHub(DatabaseServer& server, Shard& shard, TaskRunner& reader,
                     std::function<void()> deposed, const SessionLimits& limits,
                     LimitCountsRef counts)
    : server_(server),
      shard_(shard),
      reader_(reader),
      mailbox_(shard),
      directory_(std::make_shared<const Directory>()),
      deposed_(std::move(deposed)),
      limits_(limits),
      counts_(std::move(counts)) {
  server_.add_client_thread(mailbox_, *this);
}

ClientHub::~ClientHub() = default;

std::unique_ptr<ConnectionHandler> ClientHub::make_session(ConnectionPort& port) {
  static std::atomic<std::uint64_t> next_id{1};
  auto session = std::make_unique<Session>(*this, port, SessionId{next_id++});
  sessions_.emplace(session->id(), session.get());
  open_sessions_.store(sessions_.size(), std::memory_order_relaxed);
  return session;
}

Session* ClientHub::find(SessionId id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

Session* ClientHub::find_answered(SessionId id, std::optional<std::size_t> rows) const {
  Session* session = find(id);
  if (session != nullptr) session->end_request(rows);
  return session;
}

void ClientHub::forget(SessionId id) {
  sessions_.erase(id);
  open_sessions_.store(sessions_.size(), std::memory_order_relaxed);
}

void ClientHub::on_commit(const DatabaseInfoRef& database, const CommitRef& commit) {
  monitors_.on_commit(*database, *commit);
}

void ClientHub::on_directory(const DirectoryRef& directory) {
  const DirectoryRef before = std::exchange(directory_, directory);
  std::vector<DatabaseInfoRef> gone;
  bool is_change = directory->size() > before->size();
  for (const auto& [name, database] : *before) {
    const auto now = directory->find(name);
    if (now != directory->end() && now->second == database) continue;
    gone.push_back(database);
    // Who was told that a database is not available yet is surprised by nothing when it is.
    is_change = is_change || now == directory->end() || database->available;
  }
  // Who does not know of such changes is disconnected before it could be told; the first directory
  // is no change.
  if (!before->empty() && is_change) {
    for (const auto& [id, session] : sessions_) session->on_databases_changed();
  }
  for (const DatabaseInfoRef& database : gone) {
    schema_texts_.erase(database->generation);
    monitors_.remove_database(*database);
    for (const auto& [id, session] : sessions_) session->monitors().forget(*database);
  }
}

void ClientHub::on_role_change() {
  for (const auto& [id, session] : sessions_) session->on_role_change();
}

void ClientHub::set_peers(const PeerList& peers) {
  peers_ = peers;
  for (const auto& [id, session] : sessions_) session->on_peers_changed();
}

void ClientHub::disable_conditional_monitors() {
  conditional_monitors_ = false;
  for (const auto& [id, session] : sessions_) session->close("disabling conditional monitoring");
}

SharedText ClientHub::schema_text(const DatabaseInfoRef& database) {
  SharedText& text = schema_texts_[database->generation];
  if (!text) text = std::make_shared<const std::string>(to_text(*database->schema));
  return text;
}

ClientHub::Usage ClientHub::usage() const {
  return {open_sessions_.load(std::memory_order_relaxed), monitors_.size()};
}

}  // namespace tandem
