#include "server/database/database_server.h"

#include <utility>

#include "server/database/server_schema.h"

namespace tandem {
namespace {

/// Transactions of a database that may wait for backups.
constexpr std::size_t kMostWaiting = 10'000;

CommitGate::Follower gate_id(SessionId session) {
  return static_cast<CommitGate::Follower>(session);
}

}  // namespace

DatabaseServer::DatabaseServer(Ports ports)
    : ports_(std::move(ports)),
      writer_([this] { flush(); }),
      server_id_(Uuid::random()),
      directory_(std::make_shared<const Directory>()) {
  auto server = std::make_unique<ServedDatabase>();
  server->stored = StoredDatabase::in_memory(server_schema(), ports_.clock);
  server->info = std::make_shared<const DatabaseInfo>(
      DatabaseInfo{"_Server", next_generation_++, server_schema()});
  server->built_in = true;
  ServedDatabase& served = *server;
  databases_.emplace("_Server", std::move(server));
  describe(served);
  directory_changed_ = true;
}

DatabaseServer::~DatabaseServer() = default;

void DatabaseServer::add_client_thread(Mailbox& mailbox, ClientThread& thread) {
  threads_.push_back({&mailbox, &thread});
}

ServedDatabase* DatabaseServer::find(std::string_view name) {
  const auto found = databases_.find(name);
  return found == databases_.end() ? nullptr : found->second.get();
}

// --- transactions ---

void DatabaseServer::transact(std::unique_ptr<TransactCall> call) {
  call->first_tried_ms = ports_.clock.monotonic_ms();
  ServedDatabase* database = find(call->database);
  if (database == nullptr) {
    call->refused =
        Error{"unknown database", "transact request specifies unknown database " + call->database,
              to_text(call->params)};
    finish(std::move(call));
    return;
  }
  if (is_blocked(*call)) {
    call->refused = Error{"syntax error", "transact: duplicate request ID", to_text(call->params)};
    finish(std::move(call));
    return;
  }
  if (waiting(*database) >= kMostWaiting) {
    call->refused =
        Error{"resources exhausted",
              "too many transactions wait for the acknowledgement of backups", std::nullopt};
    finish(std::move(call));
    return;
  }
  if (try_transact(*database, call)) {
    if (database->stored->has_staged()) retry_blocked(*database);
  } else {
    database->blocked.push_back(std::move(call));
    schedule_wake();
  }
}

bool DatabaseServer::is_blocked(const TransactCall& call) const {
  for (const auto& [name, database] : databases_) {
    for (const auto& blocked : database->blocked) {
      if (blocked->session == call.session && blocked->id == call.id) return true;
    }
  }
  return false;
}

bool DatabaseServer::may_not_write() const {
  return write_deadline_ms_ && ports_.clock.monotonic_ms() >= *write_deadline_ms_;
}

bool DatabaseServer::try_transact(ServedDatabase& database, std::unique_ptr<TransactCall>& call) {
  if (call->transaction.schema != database.info->schema) {
    call->transaction = Transaction::from_json(database.info->schema, call->params);
  }
  const SessionId session = call->session;
  TransactContext context;
  context.read_only = call->read_only || database.backup || may_not_write();
  context.reserved = database.built_in;
  context.owns_lock = [this, session](std::string_view lock) { return locks_.owns(session, lock); };
  context.role = call->role;
  context.client_id = call->client_id;
  context.waited_ms = ports_.clock.monotonic_ms() - call->first_tried_ms;
  TransactOutcome outcome = database.stored->execute(call->transaction, context);
  if (outcome.blocked) {
    if (outcome.timeout_ms) call->deadline_ms = call->first_tried_ms + *outcome.timeout_ms;
    return false;
  }
  call->result = std::move(outcome.result);
  Outgoing outgoing;
  outgoing.database = &database;
  outgoing.commit = std::move(outcome.commit);
  outgoing.durable = outcome.durable;
  outgoing.call = std::move(call);
  outgoing_.push_back(std::move(outgoing));
  return true;
}

void DatabaseServer::retry_blocked(ServedDatabase& database) {
  // A transaction that stops waiting may change what those before it in the list wait for: go round
  // until nothing moves.
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto it = database.blocked.begin(); it != database.blocked.end();) {
      if (try_transact(database, *it)) {
        moved = moved || outgoing_.back().commit != nullptr;
        it = database.blocked.erase(it);
      } else {
        ++it;
      }
    }
  }
}

void DatabaseServer::finish(std::unique_ptr<TransactCall> call) {
  Outgoing outgoing;
  outgoing.call = std::move(call);
  outgoing_.push_back(std::move(outgoing));
}

void DatabaseServer::cancel(SessionId session, const json::value& id) {
  for (auto& [name, database] : databases_) {
    for (auto it = database->blocked.begin(); it != database->blocked.end(); ++it) {
      if ((*it)->session != session || (*it)->id != id) continue;
      (*it)->canceled = true;
      finish(std::move(*it));
      database->blocked.erase(it);
      return;
    }
  }
}

void DatabaseServer::cancel_blocked(ServedDatabase& database) {
  for (std::unique_ptr<TransactCall>& call : database.blocked) {
    call->canceled = true;
    finish(std::move(call));
  }
  database.blocked.clear();
}

void DatabaseServer::tick() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  for (auto& [name, database] : databases_) {
    bool committed = false;
    for (auto it = database->blocked.begin(); it != database->blocked.end();) {
      const std::optional<std::int64_t> deadline = (*it)->deadline_ms;
      if (deadline && *deadline <= now && try_transact(*database, *it)) {
        committed = committed || outgoing_.back().commit != nullptr;
        it = database->blocked.erase(it);
      } else {
        ++it;
      }
    }
    if (committed) retry_blocked(*database);
  }
  schedule_wake();
}

void DatabaseServer::schedule_wake() {
  std::optional<std::int64_t> next;
  for (const auto& [name, database] : databases_) {
    for (const std::unique_ptr<TransactCall>& call : database->blocked) {
      if (call->deadline_ms && (!next || *call->deadline_ms < *next)) next = call->deadline_ms;
    }
  }
  for (const auto& [database, queue] : waiting_) {
    const auto deadline =
        database->gate.deadline_ms(queue.front().logged_ms, ports_.clock.monotonic_ms());
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  if (next) ports_.wake_at(*next);
}

TransactResult DatabaseServer::transact_internal(ServedDatabase& database,
                                                 const json::array& operations) {
  json::array params{json::value(database.info->name)};
  params.insert(params.end(), operations.begin(), operations.end());
  Transaction transaction = Transaction::from_json(database.info->schema, params);
  TransactOutcome outcome = database.stored->execute(transaction, TransactContext{});
  if (outcome.commit) {
    Outgoing outgoing;
    outgoing.database = &database;
    outgoing.commit = std::move(outcome.commit);
    outgoing_.push_back(std::move(outgoing));
    retry_blocked(database);
  }
  return std::move(outcome.result);
}

// --- sessions and locks ---

void DatabaseServer::open_session(SessionId session, Mailbox& mailbox, LockNotify notify) {
  sessions_.insert_or_assign(session, SessionPort{&mailbox, std::move(notify)});
}

void DatabaseServer::close_session(SessionId session) {
  tell(locks_.release_all(session));
  sessions_.erase(session);
  for (auto& [name, database] : databases_) {
    if (database->followers.erase(session) > 0) database->gate.remove(gate_id(session));
    std::erase_if(database->blocked,
                  [session](const auto& call) { return call->session == session; });
  }
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
