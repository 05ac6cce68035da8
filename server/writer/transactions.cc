#include "server/writer/transactions.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include "protocol/json/json_reader.h"

namespace tandem {
namespace {

/// So many transactions of a database may wait for backups; further ones are refused.
constexpr std::size_t kMostWaiting = 10'000;
/// Transactions in a "wait" are tried again for so long before other jobs have their turn.
constexpr std::int64_t kRetryUs = 500;

/// Does the operation with this name do more than look?
bool is_write(JsonView operation) {
  using namespace std::literals;
  static constexpr std::array kWrites{"insert"sv, "update"sv, "mutate"sv, "delete"sv, "commit"sv};
  const JsonView op = operation.find("op");
  return op.is_string() &&
         std::find(kWrites.begin(), kWrites.end(), op.get_string()) != kWrites.end();
}

bool is_blocking_wait(const Operation& operation) {
  const auto* const wait = std::get_if<WaitOp>(&operation);
  return wait != nullptr && wait->timeout_ms != 0;
}

/// Is it for another server to execute?
bool is_forwarded(const ServedDatabase& database, const TransactCall& call) {
  if (database.forwarder == nullptr || call.read_only) return false;
  for (const JsonView operation : call.params.elements()) {
    if (is_write(operation)) return true;  // the database's name is none
  }
  return false;
}

}  // namespace

std::string records_lost() {
  return "a transaction was executed elsewhere, and what it has changed could not be taken over";
}

void Transactions::transact(std::unique_ptr<TransactCall> call) {
  call->first_tried_ms = clock_.monotonic_ms();
  ServedDatabase* const database = catalogue_.find(call->database);
  if (database == nullptr) {
    Error unknown{"unknown database",
                  "transact request specifies unknown database " + call->database,
                  json_excerpt(call->params)};
    return refuse(std::move(call), std::move(unknown));
  }
  if (!database->info->available)
    return refuse(std::move(call), not_available("transact", database->info->name));
  if (is_blocked(*call)) {
    Error duplicate{"syntax error", "transact: duplicate request ID", json_excerpt(call->params)};
    return refuse(std::move(call), std::move(duplicate));
  }
  if (is_forwarded(*database, *call)) return forward(*database, std::move(call));
  execute(*database, std::move(call));
}

void Transactions::execute(ServedDatabase& database, std::unique_ptr<TransactCall> call) {
  if (outbox_.waiting(database) >= kMostWaiting && !call->only_reads) {
    return refuse(std::move(call),
                  {"resources exhausted",
                   "too many transactions wait for the acknowledgement of backups", std::nullopt});
  }
  if (try_transact(database, call, call->first_tried_ms)) {
    if (database.stored->has_staged()) retry_blocked(database);
  } else {
    wait(database, std::move(call));
  }
}

bool Transactions::try_transact(ServedDatabase& database, std::unique_ptr<TransactCall>& call,
                                std::int64_t now_ms) {
  if (call->transaction.schema != database.info->schema) {
    call->transaction = Transaction::from_json(database.info->schema, call->params);
  }
  const SessionId session = call->session;
  TransactContext context;
  context.read_only = call->read_only || !database.may_write(clock_);
  context.reserved = database.is_built_in();
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
  outbox_.put(std::move(outgoing));
  return true;
}

void Transactions::finish(std::unique_ptr<TransactCall> call) {
  Outgoing outgoing;
  outgoing.call = std::move(call);
  outbox_.put(std::move(outgoing));
}

void Transactions::refuse(std::unique_ptr<TransactCall> call, Error error) {
  call->refused = std::move(error);
  finish(std::move(call));
}

TransactResult Transactions::execute_internal(ServedDatabase& database,
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
    outbox_.put(std::move(outgoing));
    retry_blocked(database);
  }
  return std::move(outcome.result);
}

// --- those that wait ---

bool Transactions::is_blocked(const TransactCall& call) const {
  for (const auto& [name, database] : catalogue_.databases()) {
    if (database->blocked.contains(call.session, call.id) ||
        database->forwarded_waits.contains(call.session, call.id))
      return true;
  }
  return false;
}

bool Transactions::may_wait(TransactCall& call) {
  call.wait_bytes = call.id.text().size() + to_text(call.params).size();
  WaitLimits used{1, call.wait_bytes};
  const auto add = [&used](const WaitLimits& there) {
    used.number += there.number;
    used.bytes += there.bytes;
  };
  for (const auto& [name, other] : catalogue_.databases()) {
    add(other->blocked.used_by(call.session));
    add(other->forwarded_waits.used_by(call.session));
  }
  for (const auto limit : {&WaitLimits::number, &WaitLimits::bytes}) {
    if (used.*limit <= wait_limits_.*limit || call.unbounded) continue;
    call.beyond = limit;
    return false;
  }
  if (Task told = call.blocked()) outbox_.reply(*call.mailbox, std::move(told));
  return true;
}

void Transactions::wait(ServedDatabase& database, std::unique_ptr<TransactCall> call) {
  if (!may_wait(*call)) return finish(std::move(call));
  call->params = {};
  call->request = {};
  database.blocked.add(std::move(call));
  context_.schedule_wake();
}

void Transactions::retry_blocked(ServedDatabase& database) {
  if (database.retry_posted || database.blocked.empty()) return;
  // A transaction that stops waiting may change what others wait for, which are due then.
  const std::int64_t end_us = clock_.monotonic_us() + kRetryUs;
  while (std::unique_ptr<TransactCall> call = database.blocked.take_due()) {
    TaskRunner& runner = call->mailbox->runner();
    if (!try_transact(database, call, clock_.monotonic_ms())) database.blocked.add(std::move(call));
    if (clock_.monotonic_us() < end_us) continue;
    database.retry_posted = true;
    return context_.writer.submit(
        [this, name = database.info->name] {
          ServedDatabase* served = catalogue_.find(name);
          if (served == nullptr) return;
          served->retry_posted = false;
          retry_blocked(*served);
          context_.schedule_wake();
        },
        runner);
  }
}

void Transactions::retry_all(ServedDatabase& database) {
  database.blocked.mark_all();
  retry_blocked(database);
}

void Transactions::cancel(SessionId session, const JsonId& id) {
  for (const auto& [name, database] : catalogue_.databases()) {
    if (database->forwarder != nullptr) database->forwarder->cancel(session, id);
    std::unique_ptr<TransactCall> call = database->blocked.take(session, id);
    if (call == nullptr) continue;
    call->canceled = true;
    return finish(std::move(call));
  }
}

void Transactions::cancel_blocked(ServedDatabase& database) {
  for (std::unique_ptr<TransactCall>& call : database.blocked.take_all()) {
    call->canceled = true;
    finish(std::move(call));
  }
}

void Transactions::drop(SessionId session) {
  for (const auto& [name, database] : catalogue_.databases()) {
    database->blocked.drop(session);
    if (database->forwarder != nullptr) database->forwarder->drop(session);
    database->forwarded_waits.drop(session);
  }
}

void Transactions::tick() {
  const std::int64_t now = clock_.monotonic_ms();
  for (const auto& [name, database] : catalogue_.databases()) {
    database->blocked.mark_overdue(now);
    retry_blocked(*database);
  }
}

std::optional<std::int64_t> Transactions::next_deadline_ms() const {
  std::optional<std::int64_t> next;
  for (const auto& [name, database] : catalogue_.databases()) {
    // Overdue transactions are being tried already.
    if (database->retry_posted) continue;
    const std::optional<std::int64_t> deadline = database->blocked.next_deadline_ms();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

// --- those that another server executes ---

void Transactions::forward(ServedDatabase& database, std::unique_ptr<TransactCall> call) {
  // A role says nothing where the database has no rules for it.
  if (!database.info->schema->find_table("RBAC_Role")) call->role.clear();
  const auto& operations = call->transaction.operations;
  if (std::any_of(operations.begin(), operations.end(), is_blocking_wait)) {
    if (!may_wait(*call)) return finish(std::move(call));
    database.forwarded_waits.add(*call);
  }
  call->transaction = {};
  database.forwarder->forward(std::move(call));
}

void Transactions::end_forwarded_wait(const TransactCall& call) {
  if (ServedDatabase* const database = catalogue_.find(call.database))
    database->forwarded_waits.remove(call);
}

void Transactions::answer(std::unique_ptr<TransactCall> call) {
  end_forwarded_wait(*call);
  Outgoing outgoing;
  outgoing.database = catalogue_.find(call->database);
  if (call->forwarded && call->height && outgoing.database != nullptr &&
      outgoing.database->stored->position().height() < *call->height)
    call->lost = records_lost();
  outgoing.call = std::move(call);
  outbox_.put(std::move(outgoing));
}

void Transactions::take_back(std::unique_ptr<TransactCall> call) {
  end_forwarded_wait(*call);
  ServedDatabase* const database = catalogue_.find(call->database);
  if (database == nullptr || database->is_relay()) {
    call->canceled = true;
    return finish(std::move(call));
  }
  execute(*database, std::move(call));
}

}  // namespace tandem
