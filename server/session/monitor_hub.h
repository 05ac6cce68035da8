#pragma once

// Who monitors what on one client thread, and what each is sent. Monitors that ask for the same
// thing of the same database form a group: the text of an update is made once a group and shared by
// all sockets. Within a group a changed row meets only the conditions that could match. A session
// whose socket is full is sent nothing; the commits that it has not seen are merged, row by row,
// into one net change, and sent when it drains.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/monitor.h"
#include "server/database/client_port.h"
#include "server/session/connection_port.h"

namespace tandem {

/// The monitors of all sessions of one I/O thread; on that thread.
class MonitorHub {
 public:
  MonitorHub();
  ~MonitorHub();

  /// Starts a monitor and sends the reply to `request_id`: <table-updates>, or [found, last-id,
  /// <table-updates>] for version kUpdate3. Requires that the session has no monitor of that id,
  /// and that `start` and later on_commit() calls join without a gap.
  void add(ConnectionPort& session, const json::value& id, const json::value& request_id,
           MonitorRequest request, MonitorStart start);

  /// monitor_cond_change: from now on the monitor asks for `changed`, which differs in its
  /// conditions. Sends the update that this causes, if any; the caller sends the reply after it.
  /// `now` is a snapshot that joins on_commit() without a gap. False if the monitor has gone
  /// meanwhile.
  bool change(ConnectionPort& session, const json::value& id, const json::value& new_id,
              const MonitorRequest& changed, const MonitorStart& now);

  /// False if there is none of that id.
  bool cancel(ConnectionPort& session, const json::value& id);
  /// The session is gone, or wants to hear nothing more.
  void remove_session(ConnectionPort& session);

  void on_commit(const DatabaseInfo& database, const Commit& commit);
  /// The database went away or was converted: its monitors end with "monitor_canceled".
  void remove_database(const DatabaseInfo& database);
  /// The session's socket has room again, or is to get what may not overtake updates.
  void on_writable(ConnectionPort& session);

  std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem
