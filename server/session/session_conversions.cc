#include "server/session/session_conversions.h"

#include <memory>
#include <utility>

#include "server/session/session.h"

namespace tandem {
namespace {

Error read_only_error(const std::string& database) {
  return {"not allowed", "conversion is not allowed for read-only database " + database,
          std::nullopt};
}

Error role_error(const ConnectionInfo& client, const std::string& database) {
  return {"permission error",
          "RBAC rules for client \"" + client.peer_id + "\" role \"" + client.role +
              "\" prohibit \"convert\" of database " + database +
              " (only the root role may convert databases)",
          std::nullopt};
}

/// The schema that params gives for the database.
Result<SchemaRef> schema_of(const JsonRpcMessage& message, const DatabaseInfo& database) {
  const JsonView params = message.params;
  if (params.size() != 2) return params_error(message, "array expected");
  Result<SchemaRef> schema = DatabaseSchema::from_json(params[1]);
  if (schema && schema.value()->name() != database.name) {
    return Error{"invalid parameters",
                 "new schema name (" + schema.value()->name() + ") does not match database name (" +
                     database.name + ")",
                 std::nullopt};
  }
  return schema;
}

}  // namespace

void SessionConversions::read_schema(JsonRpcMessage message, const DatabaseInfoRef& database,
                                     Then then) {
  const std::size_t bytes = message.bytes;
  session_.read(
      bytes,
      [message = std::move(message), database]() mutable {
        Result<SchemaRef> schema = schema_of(message, *database);
        return std::pair(std::move(message.id), std::move(schema));
      },
      [database, then](Session& session, std::pair<JsonId, Result<SchemaRef>>&& read) {
        auto& [id, schema] = read;
        if (schema) {
          (session.conversions().*then)(id, *database, schema.value());
        } else {
          session.send_error(id, schema.error());
        }
      });
}

void SessionConversions::refuse(JsonRpcMessage message) {
  const DatabaseInfoRef database = session_.database_of(message);
  if (!database) return;
  // In the stock server's order: a role is refused before the schema is looked at.
  if (!port_.info().role.empty())
    return session_.send_error(message.id, role_error(port_.info(), database->name));
  read_schema(std::move(message), database, &SessionConversions::refuse_read_only);
}

void SessionConversions::refuse_read_only(const JsonId& id, const DatabaseInfo& database,
                                          const SchemaRef& /*schema*/) {
  session_.send_error(id, read_only_error(database.name));
}

void SessionConversions::convert(JsonRpcMessage message) {
  if (const DatabaseInfoRef database = session_.database_of(message))
    read_schema(std::move(message), database, &SessionConversions::submit);
}

void SessionConversions::submit(const JsonId& id, const DatabaseInfo& database,
                                const SchemaRef& schema) {
  ++under_way_;
  session_.submit_request(
      [conversion = std::make_shared<const Conversion>(
           Conversion{&hub_, session_.id(), id, database.name, schema})] { run(conversion); });
}

Result<void> SessionConversions::Conversion::run(ServedDatabase* served) const {
  if (served == nullptr) {
    return Error{"unknown database", "convert request specifies unknown database " + database,
                 std::nullopt};
  }
  DatabaseServer& server = hub->server();
  if (served->is_built_in() || !served->may_write(server.clock())) return read_only_error(database);
  const Result<void> converted = server.convert(*served, schema);
  if (converted && !served->may_write(server.clock())) return right_ended();
  return converted;
}

void SessionConversions::run(const std::shared_ptr<const Conversion>& conversion) {
  DatabaseServer& server = conversion->hub->server();
  ServedDatabase* served = server.find(conversion->database);
  if (served != nullptr && served->is_compacting())
    return served->await_compaction([conversion](const Result<void>&) { run(conversion); });
  server.reply(conversion->hub->mailbox(), [conversion, converted = conversion->run(served)] {
    if (Session* session = conversion->hub->find_answered(conversion->session))
      session->conversions().finish(conversion->id, converted);
  });
}

void SessionConversions::finish(const JsonId& id, const Result<void>& converted) {
  if (converted) {
    session_.send_reply(id, "{}");
  } else {
    session_.send_error(id, converted.error());
  }
  --under_way_;
  session_.go_on();
}

}  // namespace tandem
