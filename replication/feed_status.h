#pragma once

#include <cstdint>
#include <string>

#include "replication/position.h"

namespace tandem {

/// One backup that follows a database of this server, as the server sees it.
struct FeedStatus {
  Uuid server_id;             ///< of the backup; new at each of its starts
  std::string name;           ///< of its host, as it gives it
  std::string node;           ///< of its node, as its cluster manager calls it; empty: not told
  std::string file;           ///< the database's there
  std::string address;        ///< the connection's name
  std::string host;           ///< that it comes from: host_of(address)
  Position acknowledged;      ///< it has applied and written everything up to here
  std::int64_t heard_ms = 0;  ///< its last word, monotonic
  bool in_sync = false;       ///< it keeps up: its acknowledgements count
  /// A later connection says that it is of the same copy, and this one has not shown since that it
  /// lives: the two count as one.
  bool doubted = false;

  /// Cluster managers know it by this name.
  const std::string& peer_name() const { return node.empty() ? name : node; }
};

/// How commits of one database stand to the backups that are to acknowledge them.
struct GateStatus {
  unsigned replicas = 0;    ///< acknowledgements that a commit waits for; 0: no gate
  unsigned in_sync = 0;     ///< backups that keep up
  bool degraded = false;    ///< fewer than `replicas`: commits go on without them, or wait for good
  std::size_t waiting = 0;  ///< replies and updates that wait for acknowledgements
  std::int64_t waiting_ms = 0;  ///< for how long the oldest of them did when this was copied
  std::uint64_t missed = 0;     ///< commits that were published with fewer acknowledgements
};

}  // namespace tandem
