#include "server/control/status_board.h"

namespace tandem::control {

StatusBoard::StatusBoard(DatabaseServer& server) : server_(server) { server_.add_observer(*this); }

StatusBoard::~StatusBoard() { server_.remove_observer(*this); }

StatusBoard::Entries StatusBoard::entries() const {
  MutexLock lock(mutex_);
  return entries_;
}

void StatusBoard::copy(const ServedDatabase& database, Entry& entry) {
  const History& history = database.stored->history();
  entry.info = database.info;
  entry.log = database.stored->log();
  entry.history_start = history.oldest_position();
  entry.history_commits = history.size();
  entry.history_bytes = history.bytes();
  entry.blocked = database.blocked.size();
  entry.figures = database.figures;
  entry.gate = database.gate.status();
  entry.followers = database.gate.followers();
}

void StatusBoard::on_logged(const ServedDatabase& database, const CommitRef& commit) {
  if (database.is_built_in()) return;
  MutexLock lock(mutex_);
  Entry& entry = entries_[database.info->name];
  // Not the database's own position: that may be ahead by what the next batch has staged.
  entry.position = commit->position;
  ++entry.commits;
}

void StatusBoard::on_databases_changed() { refresh(); }

void StatusBoard::refresh() {
  MutexLock lock(mutex_);
  Entries now;
  for (const auto& [name, database] : server_.databases()) {
    if (database->is_built_in()) continue;
    Entry& entry = now[name];
    if (const auto before = entries_.find(name); before != entries_.end()) entry = before->second;
    copy(*database, entry);
    entry.gate.waiting = server_.waiting(*database);
    entry.gate.waiting_ms = server_.waiting_ms(*database);
    if (!database->stored->has_staged()) entry.position = database->stored->position();
  }
  entries_ = std::move(now);
}

}  // namespace tandem::control
