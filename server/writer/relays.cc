// Relays, and the transactions that another server executes.

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "protocol/json/member_writer.h"
#include "server/writer/database_server.h"

namespace tandem {
namespace {

/// A schema without tables, until the source tells its own.
Result<SchemaRef> empty_schema(const std::string& name) {
  std::string text = "{";
  MemberWriter members(text);
  members.string("name", name);
  members.name("tables") += "{}";
  return DatabaseSchema::from_text(text += '}');
}

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

}  // namespace

std::string records_lost() {
  return "a transaction was executed elsewhere, and what it has changed could not be taken over";
}

// --- relays ---

Result<void> DatabaseServer::add_relay(const std::string& name,
                                       std::shared_ptr<Forwarder> forwarder) {
  Result<SchemaRef> schema = empty_schema(name);
  if (!schema) return schema.error();
  if (find(name) != nullptr)
    return Error{"ovsdb error", name + ": duplicate database name", std::nullopt};
  auto served = std::make_unique<ServedDatabase>();
  served->stored = StoredDatabase::in_memory(*schema, ports_.clock);
  served->info = std::make_shared<const DatabaseInfo>(DatabaseInfo{.name = name,
                                                                   .generation = next_generation_++,
                                                                   .schema = *schema,
                                                                   .relay = true,
                                                                   .available = false});
  served->connected = false;
  served->forwarder = std::move(forwarder);
  set_right(*served);
  describe(*databases_.emplace(name, std::move(served)).first->second);
  directory_changed_ = true;
  return {};
}

void DatabaseServer::replace_relayed(ServedDatabase& database, std::unique_ptr<Database> rows,
                                     const Uuid& id) {
  flush();
  cancel_blocked(database);
  const SchemaRef schema = rows->schema();
  database.stored->replace(std::move(rows), id);
  database.info =
      std::make_shared<const DatabaseInfo>(DatabaseInfo{.name = database.info->name,
                                                        .generation = next_generation_++,
                                                        .schema = schema,
                                                        .relay = true});
  describe(database);
  directory_changed_ = true;
}

void DatabaseServer::relay(ServedDatabase& database, std::vector<RowChange> changes, const Uuid& id,
                           std::function<void(Result<void>)> written) {
  replicate(database, database.stored->stage_relayed(std::move(changes), id), std::move(written));
}

void DatabaseServer::set_connected(ServedDatabase& database, bool connected) {
  database.connected = connected;
  describe(database);
}

bool DatabaseServer::takes_writes(const ServedDatabase& database) const {
  if (database.is_relay()) return database.connected && !database.source_is_read_only;
  if (database.right->holds(ports_.clock)) return true;
  return database.forwarder != nullptr && others_active_ > 0;
}

// --- transactions that another server executes ---

bool DatabaseServer::is_forwarded(const ServedDatabase& database, const TransactCall& call) {
  if (database.forwarder == nullptr || call.read_only) return false;
  for (const JsonView operation : call.params.elements()) {
    if (is_write(operation)) return true;  // the database's name is none
  }
  return false;
}

void DatabaseServer::forward(ServedDatabase& database, std::unique_ptr<TransactCall> call) {
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

void DatabaseServer::end_forwarded_wait(const TransactCall& call) {
  if (ServedDatabase* const database = find(call.database)) database->forwarded_waits.remove(call);
}

void DatabaseServer::answer(std::unique_ptr<TransactCall> call) {
  end_forwarded_wait(*call);
  Outgoing outgoing;
  outgoing.database = find(call->database);
  if (call->forwarded && call->height && outgoing.database != nullptr &&
      outgoing.database->stored->position().height() < *call->height)
    call->lost = records_lost();
  outgoing.call = std::move(call);
  outgoing_.push_back(std::move(outgoing));
}

void DatabaseServer::take_back(std::unique_ptr<TransactCall> call) {
  end_forwarded_wait(*call);
  ServedDatabase* const database = find(call->database);
  if (database == nullptr || database->is_relay()) {
    call->canceled = true;
    return finish(std::move(call));
  }
  execute(*database, std::move(call));
}

void DatabaseServer::set_forwarder(ServedDatabase& database, std::shared_ptr<Forwarder> forwarder) {
  if (database.backup) database.forwarder = std::move(forwarder);
}

}  // namespace tandem
