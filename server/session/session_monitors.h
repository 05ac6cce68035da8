#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "protocol/jsonrpc.h"
#include "protocol/monitor.h"
#include "server/session/client_hub.h"

namespace tandem {

class Session;

/// The monitors of one session. Owned by the session, on its shard's thread.
///
/// Requests are checked when they arrive, against what the session has asked for so far: a monitor
/// has its number, and its id is taken, from then on. A request takes effect when the writer has
/// handed out a snapshot, or at least its place among the commits, and no answer before it is still
/// being made. Until then the session's further requests wait: they take effect in their order.
class SessionMonitors {
 public:
  SessionMonitors(ClientHub& hub, Session& session, ConnectionPort& port)
      : hub_(hub), session_(session), port_(port) {}

  /// "monitor", "monitor_cond", "monitor_cond_since" of this database.
  void start(JsonRpcMessage message, const DatabaseInfoRef& database, MonitorVersion version);
  /// "monitor_cond_change".
  void change(JsonRpcMessage message);
  /// "monitor_cancel".
  void cancel(const JsonRpcMessage& message);
  /// The database went away or was converted, and its monitors with it.
  void forget(const DatabaseInfo& database);
  /// The socket has taken what was queued: requests that wait may go on, and what the session was
  /// not sent follows.
  void on_writable();

  /// A request has not taken effect. No other may be made before Session::go_on() is called.
  bool is_busy() const { return turn_.has_value(); }
  std::size_t size() const { return asked_.size(); }
  /// It has asked for what "_Server" shows, and for nothing else yet.
  bool are_of_server_only() const;
  /// Of the conditions of all monitors.
  std::size_t clauses() const { return clauses_; }
  /// Of the ids of all monitors.
  std::size_t id_bytes() const { return id_bytes_; }

 private:
  struct Asked {
    MonitorNumber number{};
    DatabaseInfoRef database;
    MonitorRequestRef request;
  };
  /// A request that has not taken effect.
  struct Turn {
    JsonId id;  ///< the request's
    DatabaseInfoRef database;
    std::optional<Uuid> since;
    std::function<void(MonitorStart)> then;
  };

  /// The same, of a message that has been read.
  void start(const JsonRpcMessage& message, const DatabaseInfoRef& database,
             MonitorRequest request);
  void change(const JsonRpcMessage& message, MonitorRequest request);
  /// Runs `then` on this thread in its turn, unless the session or the database is gone.
  void in_turn(Turn turn);
  /// Asks the writer for the snapshot of turn_, unless an answer is still being made: on_writable()
  /// asks then.
  void ask_writer();
  void take_turn(Result<MonitorStart> start);

  ClientHub& hub_;
  Session& session_;
  ConnectionPort& port_;
  std::map<JsonId, Asked> asked_;  ///< by the monitor's id
  std::size_t clauses_ = 0;        ///< in the conditions of all in asked_
  std::size_t id_bytes_ = 0;       ///< of the ids of all in asked_
  std::uint64_t last_monitor_ = 0;
  std::optional<Turn> turn_;
  bool with_writer_ = false;  ///< the writer was asked, and has not answered
  bool came_early_ = false;   ///< its last answer, as another answer was still being made
};

}  // namespace tandem
