#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/value.h"
#include "replication/follower_status.h"
#include "replication/role/role.h"
#include "server/control/status_board.h"
#include "server/logging/file_health.h"
#include "server/logging/time_histogram.h"
#include "server/net/key_file.h"
#include "server/net/remote_options.h"
#include "server/storage/log_health.h"

namespace tandem::control {

/// Commits wait for acknowledgements of backups: --sync-replicas and its companions.
struct SyncSettings {
  unsigned replicas = 0;       ///< acknowledgements that a commit waits for
  unsigned timeout_ms = 1000;  ///< how long
  bool block = false;          ///< then: go on waiting, instead of going on without them

  bool operator==(const SyncSettings&) const = default;
};

/// How one database stands.
struct DatabaseStatus {
  std::string name;
  StatusBoard::Entry entry;
  bool backup = false;
  bool relay = false;
  std::string source;                      ///< whom it follows, if it is one of these
  std::string connection_error;            ///< last failure to reach it
  std::optional<FollowerStatus> follower;  ///< of a backup or relay
  storage::LogHealth health;               ///< of its file
  std::string file;                        ///< its name, as it was given
  std::uint64_t file_bytes = 0;            ///< of good records
  /// How long calls for the file took.
  struct FileTimes {
    TimeHistogram::Totals writes;
    TimeHistogram::Totals flushes;
  };
  std::optional<FileTimes> file_times;  ///< nothing: it has no file, or that is being closed
  /// Files beside it with records that only this server had, as last looked at; nothing: not yet.
  std::optional<std::size_t> divergence_files;

  /// Does all that it has come from another server?
  bool is_copy() const { return backup || relay; }
  std::string_view role() const { return relay ? "relay" : backup ? "backup" : "active"; }
};

/// From then on, monotonic, the server had the role.
struct RoleNote {
  RoleState role;
  std::int64_t at_ms;
  bool operator==(const RoleNote&) const = default;
};

/// All that status commands, metrics and load balancers are told: a value, made in one go.
struct ServerStatus {
  std::string server_id;
  std::int64_t now_ms = 0;       ///< monotonic
  std::int64_t now_wall_ms = 0;  ///< since 1970
  std::int64_t uptime_ms = 0;
  std::int64_t pid = 0;       ///< of the process that serves
  bool program_gone = false;  ///< its file was removed or replaced since the start
  std::string host;
  RoleState role = RoleState::kActive;
  Lease lease;
  std::vector<RoleNote> role_changes;  ///< the last ones since the start, the newest first
  std::vector<net::RemoteStatus> remotes;
  std::vector<std::string> http;  ///< where the status pages are: http://ADDRESS:PORT
  SyncSettings sync;
  std::string sync_peers = "any";  ///< the clients that may be backups
  std::string node_name;           ///< that backups' actives know this server by; empty: the host's
  AdvertisedRole advertised_role = AdvertisedRole::kNone;
  bool forward_writes = false;  ///< as a backup
  std::string active_server;    ///< that is, or would be, followed; empty: none
  std::string exclude_tables;
  std::vector<DatabaseStatus> databases;  ///< by name
  log::FileHealth log_file;
  std::vector<net::KeyFile> key_files;  ///< those of TLS
  /// A limit of clients, and how often it was met.
  struct LimitStatus {
    std::string name;  ///< of the option
    std::uint64_t value = 0;
    std::uint64_t times = 0;
    std::uint64_t connections = 0;
  };
  std::vector<LimitStatus> limits;
  std::size_t monitors = 0;  ///< of all clients

  bool is_active() const { return has_active_role(role); }
  bool lease_expired() const { return role == RoleState::kExpired; }
  /// Connections at all remotes.
  std::size_t clients() const;
  /// Does the database take writes? Roles may differ where a configuration file says so.
  bool writable(const DatabaseStatus& database) const;
  /// Has the role, and may use it.
  bool writable() const { return role == RoleState::kActive && disk_fault().empty(); }
  /// Why the first database that cannot write to its file, or has lost part of it, is so; empty:
  /// all are well.
  std::string disk_fault() const;
  /// Why the database is not in sync: on a backup, it has not all that its active has; on an
  /// active, not all of its backups have everything, or there are fewer than commits wait for.
  /// Empty: it is.
  std::string unsynced(const DatabaseStatus& database) const;
  bool is_synced() const;  ///< each database
  /// Describes the damage of the first file that is damaged; empty: none is.
  std::string damage() const;
};

/// All of it; docs/operating.md describes the members. What is read first comes first.
OrderedJson to_json(const ServerStatus& status);
/// For people; one fact a line.
std::string status_text(const ServerStatus& status);
/// For scripts, a line a database: NAME ROLE STATE EPOCH INDEX. STATE is that of the follower on a
/// backup (`replicating` only if it hears from the active), `writable` or `expired` on an active,
/// `damaged` if the file is, and `failing` on either if nothing can be written to it.
std::string short_status_text(const ServerStatus& status);

}  // namespace tandem::control
