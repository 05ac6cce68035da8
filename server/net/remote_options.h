#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "protocol/target.h"

namespace tandem::net {

/// What may be configured of a remote: columns of OVN's Connection table (ovn-nb(5)), or members of
/// a configuration file.
struct RemoteOptions {
  std::int64_t max_backoff_ms = 8000;
  /// 0: no probes. Unset: 5000, but none over unix sockets, as ovsdb-server has it.
  std::optional<std::int64_t> inactivity_probe_ms;
  bool read_only = false;
  std::string role;
  std::optional<int> dscp;
  /// TCP keepalive; 0: none. Unset: as often as probes.
  std::optional<std::int64_t> keepalive_ms;
  /// Listens also at an address that this host does not have yet (ip(7), IP_FREEBIND).
  bool freebind = false;

  bool operator==(const RemoteOptions&) const = default;
};

/// Settings of the whole server, for remotes that are not over unix sockets.
struct RemoteDefaults {
  /// Of those on the command line or in a configuration file that do not say; rows of a database
  /// have a column for it.
  std::optional<std::int64_t> inactivity_probe_ms;
  std::optional<std::int64_t> keepalive_ms;  ///< of all
};

/// One remote as it is configured. Paths in the target are absolute.
struct RemoteSpec {
  Target target;
  RemoteOptions options;
};

/// How a remote stands.
struct RemoteStatus {
  std::string target;
  // What goes back into the remote's row: the columns is_connected and status of OVN's Connection
  // table.
  bool is_connected = false;
  /// Keys state, last_error, sec_since_connect, sec_since_disconnect of active remotes;
  /// n_connections (if over 1), bound_port, and zeros for both ages of passive ones.
  std::map<std::string, std::string> values;
  /// Listens, or is connected: what the remote is for can go on.
  bool is_up = false;
  // For people.
  /// `listening` or `not listening`; `connected`, `connecting` or `waiting` to connect; `closed` if
  /// it is for an active server and this one is none.
  std::string state{};
  std::string problem{};        ///< why it does not listen, or the last failure to connect
  std::size_t connections = 0;  ///< clients that are there
};

}  // namespace tandem::net
