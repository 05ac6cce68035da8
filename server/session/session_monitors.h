#pragma once

#include <map>
#include <memory>
#include <string>

#include "protocol/jsonrpc.h"
#include "protocol/monitor.h"
#include "server/session/client_hub.h"

namespace tandem {

class Session;

/// The monitors of one session. Owned by the session, on its shard's thread.
///
/// Requests are checked when they arrive, against what the session has asked for so far. They take
/// effect when the writer has handed out a snapshot, or at least its place among the commits: so in
/// the order in which they came, however closely they follow one another.
class SessionMonitors {
 public:
  SessionMonitors(ClientHub& hub, Session& session, ConnectionPort& port)
      : hub_(hub), session_(session), port_(port) {}

  /// "monitor", "monitor_cond", "monitor_cond_since" of this database.
  void start(const JsonRpcMessage& message, const DatabaseInfoRef& database,
             MonitorVersion version);
  /// "monitor_cond_change".
  void change(const JsonRpcMessage& message);
  /// "monitor_cancel".
  void cancel(const JsonRpcMessage& message);
  /// The database went away or was converted, and its monitors with it.
  void forget(const DatabaseInfo& database);

 private:
  struct Asked {
    DatabaseInfoRef database;
    std::shared_ptr<const MonitorRequest> request;
  };
  /// Runs `then` on this thread in its turn, unless the session or the database is gone.
  template <class Then>
  void in_turn(const json::value& id, const DatabaseInfoRef& database, std::optional<Uuid> since,
               Then then);

  ClientHub& hub_;
  Session& session_;
  ConnectionPort& port_;
  std::map<std::string, Asked> asked_;  ///< by the monitor's id, as text
  std::size_t clauses_ = 0;             ///< of them together
};

}  // namespace tandem
