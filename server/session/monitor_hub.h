#pragma once

// Who monitors what on one client thread, and what each is sent. Monitors that ask for the same
// thing of the same database form a group: the text of an update is made once a group and shared by
// all sockets. Within a group a changed row meets only the conditions that could match. A session
// whose socket is full is sent nothing; the commits that it has not seen are merged, row by row,
// into one net change, and sent when it drains. Whatever is long is made while the socket takes it.

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "server/session/initial_answer.h"
#include "server/session/watched_database.h"
#include "server/writer/client_port.h"

namespace tandem {

/// The monitors of all sessions of one I/O thread; on that thread.
class MonitorHub {
 public:
  MonitorHub() = default;
  ~MonitorHub() = default;
  MonitorHub(const MonitorHub&) = delete;
  MonitorHub& operator=(const MonitorHub&) = delete;

  /// Starts a monitor and sends the reply to `request_id`: <table-updates>, or [found, last-id,
  /// <table-updates>] for version kUpdate3. Requires that the session never had that number, that
  /// it has no unfinished answer, and that `start` and later on_commit() calls join without a gap.
  void add(ConnectionPort& session, MonitorNumber number, const JsonId& id,
           const JsonId& request_id, MonitorRequestRef request, MonitorStart start);

  /// monitor_cond_change: from now on the monitor asks for `changed`, which differs in its
  /// conditions, and has that id. Sends the update that this causes, if any; the caller sends the
  /// reply after it. `now` is a snapshot that joins on_commit() without a gap. Requires that the
  /// session has no unfinished answer. False if the monitor has gone meanwhile.
  bool change(ConnectionPort& session, MonitorNumber number, const JsonId& new_id,
              MonitorRequestRef changed, const MonitorStart& now);

  /// False if the monitor has gone meanwhile.
  bool cancel(ConnectionPort& session, MonitorNumber number);
  /// The session is gone, or wants to hear nothing more. Of many monitors some end at once, the
  /// others in later tasks of its shard.
  void remove_session(ConnectionPort& session);
  /// An answer to the session, or an update, is still being made as its socket takes it.
  bool has_unfinished_answer(const ConnectionPort& session) const;

  void on_commit(const DatabaseInfo& database, const Commit& commit);
  /// The database went away or was converted: each session is told "monitor_canceled" of each of
  /// its monitors, behind what it is still to be told. When its socket has taken that, they go: of
  /// many some at once, the others in later tasks of the shard.
  void remove_database(const DatabaseInfo& database);
  /// The session's socket has room again, or is to get what may not overtake updates.
  void on_writable(ConnectionPort& session);

  /// How many there are. Any thread.
  std::size_t size() const { return monitors_.load(std::memory_order_relaxed); }

 private:
  using ClientRef = std::shared_ptr<MonitorClient>;

  WatchedDatabase& watch(const DatabaseInfoRef& database);
  WatchedDatabase* find(std::uint64_t generation);
  MonitorClient* find(const ConnectionPort& session) const;
  /// The monitor leaves its group, and is gone.
  void end(Monitor& monitor);
  /// Sends what the session was not sent of the database; `changing` is about to ask for something
  /// else.
  void send_backlog(const ClientRef& client, std::uint64_t generation,
                    std::optional<MonitorNumber> changing = {});
  void remove_some(const ClientRef& client, Shard& shard);
  /// The session's monitors of a database.
  void remove_some(const ClientRef& client, std::uint64_t generation, Shard& shard);

  std::map<std::uint64_t, WatchedDatabase> databases_;  // by generation
  std::unordered_map<const ConnectionPort*, ClientRef> clients_;
  std::atomic<std::size_t> monitors_ = 0;  // changed on its thread
  TextLibrary library_;
};

}  // namespace tandem
