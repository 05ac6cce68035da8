// The part of DatabaseServer for copies of another server's databases that have no file, and for
// what such copies hand on.

#include <utility>

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

}  // namespace

Result<void> DatabaseServer::add_relay(const std::string& name,
                                       std::shared_ptr<Forwarder> forwarder) {
  Result<SchemaRef> schema = empty_schema(name);
  if (!schema) return schema.error();
  Result<ServedDatabase*> added = catalogue_.add(
      std::make_unique<ServedDatabase>(StoredDatabase::in_memory(*schema, ports_.clock),
                                       ports_.clock.monotonic_ms()),
      {.name = name, .schema = *schema, .relay = true, .available = false});
  if (!added) return added.error();
  ServedDatabase& database = **added;
  database.source.connected = false;
  database.forwarder = std::move(forwarder);
  database.set_deadline(write_deadline_ms_);
  server_rows_.describe(database);
  return {};
}

void DatabaseServer::replace_relayed(ServedDatabase& database, std::unique_ptr<Database> rows,
                                     const Uuid& id) {
  flush();
  transactions_.cancel_blocked(database);
  DatabaseInfo info = *database.info;
  info.schema = rows->schema();
  info.available = true;
  database.stored->replace(std::move(rows), id);
  catalogue_.renew(database, std::move(info));
  server_rows_.describe(database);
}

void DatabaseServer::relay(ServedDatabase& database, std::vector<RowChange> changes, const Uuid& id,
                           std::function<void(Result<void>)> written) {
  replicate(database, database.stored->stage_relayed(std::move(changes), id), std::move(written));
}

void DatabaseServer::set_connected(ServedDatabase& database, bool connected) {
  database.source.connected = connected;
  server_rows_.describe(database);
}

bool DatabaseServer::takes_writes(const ServedDatabase& database) const {
  if (database.is_relay()) return database.source.connected && !database.source.read_only;
  if (database.may_write(ports_.clock)) return true;
  return database.forwarder != nullptr && server_rows_.knows_active();
}

void DatabaseServer::set_forwarder(ServedDatabase& database, std::shared_ptr<Forwarder> forwarder) {
  if (database.is_backup()) database.forwarder = std::move(forwarder);
}

}  // namespace tandem
