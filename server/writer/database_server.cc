#include "server/writer/database_server.h"

#include <utility>

#include "protocol/json/json_reader.h"
#include "server/writer/server_schema.h"
#include "server/writer/stand_in.h"

namespace tandem {
namespace {

/// So many transactions of a database may wait for backups; further ones are refused.
constexpr std::size_t kMostWaiting = 10'000;
/// While clients wait that look for the active server: how often it is seen whether there is one.
constexpr std::int64_t kLookForActiveMs = 20;
/// Transactions in a "wait" are tried again for so long before other jobs have their turn.
constexpr std::int64_t kRetryUs = 500;

}  // namespace

DatabaseServer::DatabaseServer(Ports ports)
    : ports_(std::move(ports)),
      stand_in_(std::make_unique<StandIn>(*this)),
      writer_([this] { end_batch(); },
              [this](bool own) {
                for (const ClientThreadPort& thread : threads_) thread.mailbox->deliver(own);
              },
              stand_in_.get()),
      turns_(ports_.clock),
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

ServedDatabase* DatabaseServer::find(std::string_view name) const {
  const auto found = databases_.find(name);
  return found == databases_.end() ? nullptr : found->second.get();
}

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

// --- transactions ---

void DatabaseServer::transact(std::unique_ptr<TransactCall> call) {
  if (shows_published_) return stand_in_->transact(std::move(call));
  call->first_tried_ms = ports_.clock.monotonic_ms();
  ServedDatabase* database = find(call->database);
  if (database == nullptr) {
    call->refused =
        Error{"unknown database", "transact request specifies unknown database " + call->database,
              json_excerpt(call->params)};
    finish(std::move(call));
    return;
  }
  if (!database->info->available) {
    call->refused = not_available("transact", call->database);
    return finish(std::move(call));
  }
  if (database->built_in) show_roles();  // who looks sees the index of now
  if (is_blocked(*call)) {
    call->refused =
        Error{"syntax error", "transact: duplicate request ID", json_excerpt(call->params)};
    finish(std::move(call));
    return;
  }
  if (is_forwarded(*database, *call)) return forward(*database, std::move(call));
  execute(*database, std::move(call));
}

void DatabaseServer::execute(ServedDatabase& database, std::unique_ptr<TransactCall> call) {
  if (waiting(database) >= kMostWaiting && !call->only_reads) {
    call->refused =
        Error{"resources exhausted",
              "too many transactions wait for the acknowledgement of backups", std::nullopt};
    finish(std::move(call));
    return;
  }
  if (try_transact(database, call, call->first_tried_ms)) {
    if (database.stored->has_staged()) retry_blocked(database);
  } else {
    wait(database, std::move(call));
  }
}

bool DatabaseServer::may_wait(TransactCall& call) {
  call.wait_bytes = call.id.text().size() + to_text(call.params).size();
  WaitLimits used{1, call.wait_bytes};
  const auto add = [&used](const WaitLimits& there) {
    used.number += there.number;
    used.bytes += there.bytes;
  };
  for (const auto& [name, other] : databases_) {
    add(other->blocked.used_by(call.session));
    add(other->forwarded_waits.used_by(call.session));
  }
  for (const auto limit : {&WaitLimits::number, &WaitLimits::bytes}) {
    if (used.*limit <= wait_limits_.*limit || call.unbounded) continue;
    call.beyond = limit;
    return false;
  }
  if (Task told = call.blocked()) reply(*call.mailbox, std::move(told));
  return true;
}

void DatabaseServer::wait(ServedDatabase& database, std::unique_ptr<TransactCall> call) {
  if (!may_wait(*call)) return finish(std::move(call));
  call->params = {};
  call->request = {};
  database.blocked.add(std::move(call));
  schedule_wake();
}

bool DatabaseServer::is_blocked(const TransactCall& call) const {
  for (const auto& [name, database] : databases_) {
    if (database->blocked.contains(call.session, call.id) ||
        database->forwarded_waits.contains(call.session, call.id))
      return true;
  }
  return false;
}

bool DatabaseServer::try_transact(ServedDatabase& database, std::unique_ptr<TransactCall>& call,
                                  std::int64_t now_ms) {
  if (call->transaction.schema != database.info->schema) {
    call->transaction = Transaction::from_json(database.info->schema, call->params);
  }
  const SessionId session = call->session;
  TransactContext context;
  context.read_only = call->read_only || !database.right->holds(ports_.clock);
  context.reserved = database.built_in;
  // Whose lock it is of a relay's database, its source alone knows.
  context.owns_lock = [this, session, here = !database.is_relay()](std::string_view lock) {
    return here && locks_.owns(session, lock);
  };
  context.role = call->role;
  context.client_id = call->client_id;
  context.waited_ms = now_ms - call->first_tried_ms;
  TransactOutcome outcome = database.stored->execute(call->transaction, context);
  if (outcome.blocked) {
    call->deadline_ms.reset();
    if (outcome.timeout_ms) call->deadline_ms = call->first_tried_ms + *outcome.timeout_ms;
    return false;
  }
  call->result = std::move(outcome.result);
  if (call->asks_height)
    call->height =
        (outcome.commit ? outcome.commit->position : database.stored->position()).height();
  Outgoing outgoing;
  outgoing.database = &database;
  outgoing.commit = std::move(outcome.commit);
  outgoing.durable = outcome.durable;
  outgoing.call = std::move(call);
  send(std::move(outgoing));
  return true;
}

void DatabaseServer::send(Outgoing outgoing) {
  if (outgoing.commit) outgoing.database->blocked.mark_touched(outgoing.commit->changes);
  outgoing_.push_back(std::move(outgoing));
}

void DatabaseServer::retry_blocked(ServedDatabase& database) {
  if (database.retry_posted || database.blocked.empty()) return;
  // A transaction that stops waiting may change what others wait for, which are due then.
  const std::int64_t end_us = ports_.clock.monotonic_us() + kRetryUs;
  while (std::unique_ptr<TransactCall> call = database.blocked.take_due()) {
    TaskRunner& runner = call->mailbox->runner();
    if (!try_transact(database, call, ports_.clock.monotonic_ms()))
      database.blocked.add(std::move(call));
    if (ports_.clock.monotonic_us() < end_us) continue;
    database.retry_posted = true;
    return submit(
        [this, name = database.info->name] {
          ServedDatabase* served = find(name);
          if (served == nullptr) return;
          served->retry_posted = false;
          retry_blocked(*served);
          schedule_wake();
        },
        runner);
  }
}

void DatabaseServer::finish(std::unique_ptr<TransactCall> call) {
  Outgoing outgoing;
  outgoing.call = std::move(call);
  outgoing_.push_back(std::move(outgoing));
}

void DatabaseServer::cancel(SessionId session, const JsonId& id) {
  for (auto& [name, database] : databases_) {
    if (database->forwarder != nullptr) database->forwarder->cancel(session, id);
    std::unique_ptr<TransactCall> call = database->blocked.take(session, id);
    if (call == nullptr) continue;
    call->canceled = true;
    return finish(std::move(call));
  }
}

void DatabaseServer::cancel_blocked(ServedDatabase& database) {
  for (std::unique_ptr<TransactCall>& call : database.blocked.take_all()) {
    call->canceled = true;
    finish(std::move(call));
  }
}

void DatabaseServer::tick() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  for (auto& [name, database] : databases_) {
    database->blocked.mark_overdue(now);
    retry_blocked(*database);
  }
  show_roles();
  look_past_gates();
  schedule_wake();
}

void DatabaseServer::schedule_wake() {
  std::optional<std::int64_t> next;
  for (const auto& [name, database] : databases_) {
    // Overdue transactions are being tried already.
    if (database->retry_posted) continue;
    const std::optional<std::int64_t> deadline = database->blocked.next_deadline_ms();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  for (const auto& [database, queue] : waiting_) {
    const auto deadline =
        database->gate.deadline_ms(queue.front().logged_ms(), ports_.clock.monotonic_ms());
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  if (past_gates_ms_ && (!next || *past_gates_ms_ < *next)) next = past_gates_ms_;
  if (advertised_ != AdvertisedRole::kNone) {
    // When the lease runs out "_Server" says at once that this server does not lead.
    const std::int64_t now = ports_.clock.monotonic_ms();
    const bool lasts = write_deadline_ms_ && now < *write_deadline_ms_;
    const std::optional<std::int64_t> look =
        newcomers_.empty() ? std::nullopt : std::optional(now + kLookForActiveMs);
    for (const auto& due : {index_due_ms_, look, lasts ? write_deadline_ms_ : std::nullopt})
      if (due && (!next || *due < *next)) next = due;
  }
  if (next) ports_.wake_at(*next);
}

TransactResult DatabaseServer::transact_internal(ServedDatabase& database,
                                                 std::string_view operations) {
  std::string params = "[";
  append_json_string(params, database.info->name);
  params.append(",").append(operations).append("]");
  Transaction transaction =
      Transaction::from_json(database.info->schema, parse_json(params).value());
  TransactOutcome outcome = database.stored->execute(transaction, TransactContext{});
  if (outcome.commit) {
    Outgoing outgoing;
    outgoing.database = &database;
    outgoing.commit = std::move(outcome.commit);
    send(std::move(outgoing));
    retry_blocked(database);
  }
  return std::move(outcome.result);
}

// --- sessions and locks ---

void DatabaseServer::open_session(SessionId session, Mailbox& mailbox, LockNotify notify) {
  sessions_.insert_or_assign(session, SessionPort{&mailbox, std::move(notify)});
}

void DatabaseServer::close_session(SessionId session, Lane& lane) {
  turns_.drop(lane);
  tell(locks_.release_all(session));
  sessions_.erase(session);
  std::erase_if(newcomers_,
                [session](const auto& newcomer) { return newcomer->session == session; });
  for (auto& [name, database] : databases_) {
    database->followers.remove(session);
    database->blocked.drop(session);
    if (database->forwarder != nullptr) database->forwarder->drop(session);
    database->forwarded_waits.drop(session);
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
