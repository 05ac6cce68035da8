#pragma once

#include <string>

#include "protocol/jsonrpc.h"
#include "protocol/schema.h"
#include "server/session/client_hub.h"

namespace tandem {

class Session;

/// "convert" of one session (ovsdb-server(7)). Owned by the session, on its shard's thread.
class SessionConversions {
 public:
  SessionConversions(ClientHub& hub, Session& session, ConnectionPort& port)
      : hub_(hub), session_(session), port_(port) {}

  void convert(JsonRpcMessage message);
  /// Answers it on a connection that has a role, or is read-only.
  void refuse(JsonRpcMessage message);
  /// One is under way: what the client says behind it has to do with the new schema.
  bool is_busy() const { return under_way_ > 0; }

 private:
  /// Goes on with the schema that params gives for the database, unless there is an error to send.
  using Then = void (SessionConversions::*)(const JsonId& id, const DatabaseInfo& database,
                                            const SchemaRef& schema);
  void read_schema(JsonRpcMessage message, const DatabaseInfoRef& database, Then then);
  void submit(const JsonId& id, const DatabaseInfo& database, const SchemaRef& schema);
  void refuse_read_only(const JsonId& id, const DatabaseInfo& database, const SchemaRef& schema);
  void finish(const JsonId& id, const Result<void>& converted);

  /// A conversion on its way.
  struct Conversion {
    ClientHub* hub;
    SessionId session;
    JsonId id;
    std::string database;
    SchemaRef schema;

    Result<void> run(ServedDatabase* served) const;
  };
  /// On the writer. A compaction that is under way comes first.
  static void run(const std::shared_ptr<const Conversion>& conversion);

  ClientHub& hub_;
  Session& session_;
  ConnectionPort& port_;
  unsigned under_way_ = 0;
};

}  // namespace tandem
