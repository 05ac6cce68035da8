#include "server/writer/database_server.h"

#include <utility>

#include "server/writer/monitor_start.h"
#include "server/writer/server_schema.h"
#include "server/writer/stand_in.h"

namespace tandem {

DatabaseServer::DatabaseServer(Ports ports)
    : ports_(std::move(ports)),
      stand_in_(std::make_unique<StandIn>(*this)),
      writer_([this] { end_batch(); }, [this](bool own) { outbox_.deliver(own); }, stand_in_.get()),
      turns_(ports_.clock),
      context_{ports_.clock, writer_, catalogue_, [this] { schedule_wake(); }},
      outbox_(context_, ports_.syncer,
              {.taken_back =
                   [this](ServedDatabase& database) {
                     // This may fulfil the condition of a transaction that waits.
                     transactions_.retry_all(database);
                   },
               .answer_past_gates = [this] { return stand_in_->answer_past_gates(); }}),
      transactions_(context_, outbox_, locks_),
      server_rows_(context_, transactions_, server_id_,
                   [this](std::unique_ptr<NewMonitor> monitor) { start(std::move(monitor)); }) {
  auto database = std::make_unique<ServedDatabase>(
      StoredDatabase::in_memory(server_schema(), ports_.clock), ports_.clock.monotonic_ms(), true);
  server_rows_.describe(*catalogue_
                             .add(std::move(database), {.name = std::string(ServerRows::kDatabase),
                                                        .schema = server_schema()})
                             .value());
  outbox_.add_observer(server_rows_);
}

DatabaseServer::~DatabaseServer() = default;

void DatabaseServer::end_batch() {
  flush();
  turns_.end_batch();
  if (turns_.next() == nullptr || std::exchange(turn_posted_, true)) return;
  submit(
      [this] {
        turn_posted_ = false;
        turns_.run_waiting();
      },
      turns_.next()->runner());
}

void DatabaseServer::tick() {
  transactions_.tick();
  server_rows_.show_roles();
  outbox_.look_past_gates();
  schedule_wake();
}

void DatabaseServer::schedule_wake() {
  std::optional<std::int64_t> next;
  const auto consider = [&next](const std::optional<std::int64_t>& due) {
    if (due && (!next || *due < *next)) next = due;
  };
  consider(transactions_.next_deadline_ms());
  consider(outbox_.next_deadline_ms());
  if (server_rows_.shows_role()) {
    consider(server_rows_.next_deadline_ms());
    // When the lease runs out "_Server" says at once that this server does not lead.
    if (write_deadline_ms_ && ports_.clock.monotonic_ms() < *write_deadline_ms_)
      consider(write_deadline_ms_);
  }
  if (next) ports_.wake_at(*next);
}

// --- what clients ask for ---

void DatabaseServer::transact(std::unique_ptr<TransactCall> call) {
  if (shows_published_) return stand_in_->transact(std::move(call));
  // A client that looks sees the index of now.
  if (call->database == ServerRows::kDatabase) server_rows_.show_roles();
  transactions_.transact(std::move(call));
}

void DatabaseServer::start_monitor(std::unique_ptr<NewMonitor> monitor) {
  if (shows_published_) return stand_in_->start(std::move(monitor));
  if (monitor->database == ServerRows::kDatabase) return server_rows_.start(std::move(monitor));
  start(std::move(monitor));
}

void DatabaseServer::start(std::unique_ptr<NewMonitor> monitor) {
  // The answer comes behind the commits that its snapshot holds; these may wait for a gate.
  Outgoing outgoing;
  outgoing.database = find(monitor->database);
  outgoing.monitor = std::move(monitor);
  outbox_.put(std::move(outgoing));
  // The snapshot must not hold commits that a failing log write would take back, nor later ones.
  flush();
}

// --- sessions and locks ---

void DatabaseServer::open_session(SessionId session, Mailbox& mailbox, LockNotify notify) {
  sessions_.insert_or_assign(session, SessionPort{&mailbox, std::move(notify)});
}

void DatabaseServer::close_session(SessionId session, Lane& lane) {
  turns_.drop(lane);
  tell(locks_.release_all(session));
  sessions_.erase(session);
  server_rows_.drop(session);
  stop_feeds(session);
  transactions_.drop(session);
}

std::optional<bool> DatabaseServer::lock(SessionId session, const std::string& name,
                                         LockTable::Mode mode) {
  const std::optional<LockTable::Acquired> acquired = locks_.acquire(session, name, mode);
  if (!acquired) return std::nullopt;
  tell(acquired->notices);
  return acquired->owned;
}

bool DatabaseServer::unlock(SessionId session, const std::string& name) {
  std::vector<LockTable::Notice> notices;
  if (!locks_.release(session, name, notices)) return false;
  tell(notices);
  return true;
}

void DatabaseServer::tell(const std::vector<LockTable::Notice>& notices) {
  for (const LockTable::Notice& notice : notices) {
    const auto found = sessions_.find(notice.session);
    if (found == sessions_.end()) continue;
    reply(*found->second.mailbox, [notify = found->second.notify, lock = notice.lock,
                                   stolen = notice.stolen] { notify(lock, stolen); });
  }
}

}  // namespace tandem
