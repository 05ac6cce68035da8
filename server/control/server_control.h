#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "protocol/error.h"

namespace tandem::control {

/// Takes the outcome of a change that may need time. Called once, on any thread.
using Done = std::function<void(Result<void>)>;
/// The same where the outcome has a text.
using DoneWithText = std::function<void(Result<std::string>)>;
/// For a caller that does not want the text.
inline DoneWithText without_text(Done done) {
  return [done = std::move(done)](const Result<std::string>& result) {
    done(result ? Result<void>() : Result<void>(result.error()));
  };
}

/// What sync-status tells (ovsdb-server(1), Active-Backup Commands).
struct SyncStatus {
  enum class State : std::uint8_t {
    kActive,       ///< not following anyone
    kConnecting,   ///< backup, not yet equal to the active
    kReplicating,  ///< backup, following each commit
    kStale,        ///< backup that followed each commit, until the active fell silent
    kError,        ///< backup that cannot replicate, and says why
  };
  struct Database {
    std::string name;
    State state = State::kActive;
    std::string source;          ///< whom it follows, or would
    std::string exclude_tables;  ///< "DB:TABLE,..."
    std::string error;
    std::int64_t silent_ms = 0;  ///< of a stale one: since the active's last word
    /// Why it follows by monitor although the active is a Tandem; empty: it does not.
    std::string stream_refused{};
  };
  std::vector<Database> databases;  ///< those that have somebody to follow, by name
};

/// Which tables' transactions are logged: database, table, on or off.
using TableLogging = std::map<std::string, std::map<std::string, bool>>;

/// What the control commands need of the server that they control. Implemented by the server;
/// outlives the commands. All calls come from the control thread; errors are answers to the user.
/// None waits for the writer, a client thread or a database's disk: what is not known at once ends
/// in a call to `done`, with an error if nobody could begin it within a second.
class ServerControl {
 public:
  virtual ~ServerControl() = default;

  /// Sorted bytewise, "_Server" included.
  virtual std::vector<std::string> list_databases() = 0;
  /// Starts to serve a file, or "relay:SCHEMA:REMOTE".
  virtual void add_database(const std::string& file, Done done) = 0;
  /// Requires a database of that name.
  virtual void remove_database(const std::string& name, Done done) = 0;
  /// Requires a database of that name that has a file. `done` comes when the new file is in place.
  virtual void compact(const std::string& name, Done done) = 0;
  /// "ok", or what is wrong with the database's file. Requires a database of that name.
  virtual Result<std::string> storage_status(const std::string& name) = 0;

  /// Configured ones, sorted, without those that "db:" led to.
  virtual std::vector<std::string> list_remotes() = 0;
  virtual void add_remote(const std::string& remote, Done done) = 0;
  virtual void remove_remote(const std::string& remote, Done done) = 0;
  /// Closes all client connections.
  virtual void reconnect_clients() = 0;
  /// From now on monitor_cond and monitor_cond_since are unknown methods; closes sessions.
  virtual void disable_monitor_cond() = 0;

  /// Reads the configuration file again.
  virtual void reload(Done done) = 0;

  virtual SyncStatus sync_status() = 0;
  virtual std::string active_server() = 0;  ///< empty: none
  virtual void set_active_server(const std::string& remote, Done done) = 0;
  /// Becomes a backup. Requires an active server.
  virtual void connect_active(Done done) = 0;
  /// Becomes active: done when writes are accepted.
  virtual void disconnect_active(Done done) = 0;
  virtual std::string sync_exclude_tables() = 0;
  virtual void set_sync_exclude_tables(const std::string& list, Done done) = 0;
  virtual void set_active_probe_interval(std::int64_t milliseconds) = 0;
  virtual void set_relay_probe_interval(std::int64_t milliseconds) = 0;

  using Counts = std::map<std::string, std::uint64_t>;
  /// Counts by name, for memory/show: after a second those of the last time.
  virtual void memory_usage(std::function<void(const Counts&)> then) = 0;
  virtual void set_memory_trim_on_compaction(bool enabled) = 0;

  virtual TableLogging table_logging() = 0;
  /// Requires that table_logging() has the table.
  virtual void set_table_logging(const std::string& database, const std::string& table,
                                 bool enabled) = 0;
};

}  // namespace tandem::control
