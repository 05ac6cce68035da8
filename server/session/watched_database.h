#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "server/session/monitor_group.h"
#include "server/session/monitor_interest.h"
#include "server/session/row_lookup.h"
#include "server/writer/client_port.h"

namespace tandem {

/// What is monitored of one database on one I/O thread: groups of monitors, which of them a change
/// concerns, and what those who are behind have not been sent. Lives while it has a monitor.
class WatchedDatabase {
 public:
  explicit WatchedDatabase(DatabaseInfoRef database);

  bool empty() const { return groups_.empty(); }
  const Uuid& newest_id() const { return newest_id_; }

  /// Makes a monitor a member of the group that asks for this. Requires that it is in none.
  void join(Monitor& monitor, MonitorRequestRef request);
  /// Takes it out of its group.
  void leave(Monitor& monitor);
  /// Takes it from its group to another.
  void move(Monitor& monitor, MonitorRequestRef request);

  /// Sends it to those whose sockets take it; the others get it later, merged with what follows.
  /// Returns the sessions that are to be told of it now but piece by piece, since it is long: their
  /// backlogs are to be taken.
  std::vector<MonitorClient*> on_commit(const Commit& commit);

  // Commits that a session was not sent

  /// Ends the session's part of the backlog, and returns it; null if it has none.
  NetPartsRef take_backlog(MonitorClient& client);
  /// Ends it, and returns what nobody is to be sent any more.
  NetParts drop_backlog(MonitorClient& client);

  // Finding rows by their values

  /// A condition's rows, or those by which two conditions differ: nothing when they cannot be
  /// found, or would be many.
  std::optional<std::vector<RowRef>> find_rows(TableIndex table,
                                               const std::vector<ValueKey>& keys) const;
  /// Lookups that are not there yet, of the columns of these keys: for a walk over the whole table
  /// of a snapshot that on_commit() joins. `loader` lives as long as the walk.
  std::vector<std::shared_ptr<RowLookup>> begin_lookups(TableIndex table,
                                                        const std::vector<ValueKey>& keys,
                                                        const std::shared_ptr<const void>& loader);

 private:
  struct WatchedTable {
    MonitorInterest interest;
    std::vector<std::shared_ptr<RowLookup>> lookups;
  };

  void deliver(MonitorGroup& group, const Commit& commit);
  /// Those of its sessions that are not to be sent anything now, or not all, are told later.
  /// `most`: what a monitor of the database may be told.
  void hold_back(const MonitorGroup& group, std::size_t most);
  /// Counts so many changes more for the client. True if they are too many to be told in one go.
  bool is_long(MonitorClient& client, std::size_t changes);
  bool is_held_back(const MonitorClient& client) const {
    return client.port == nullptr ||
           (!client.behind.empty() && client.behind.contains(database_->generation));
  }
  void drop_unused_lookups(const MonitorRequest& request);

  const DatabaseInfoRef database_;
  std::vector<WatchedTable> tables_;
  std::unordered_multimap<std::size_t, MonitorGroup> groups_;  // by hash of the request
  Backlog backlog_;
  Uuid newest_id_;  // of the newest commit in the backlog
  // Scratch of on_commit(): groups and sessions that it concerns.
  std::vector<MonitorGroup*> touched_;
  std::vector<MonitorClient*> counted_;
  std::vector<MonitorClient*> long_told_;
};

}  // namespace tandem
