#pragma once

// The copies of databases that servers tell of: what `status --cluster` judges and shows. Values,
// without I/O.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "protocol/error.h"
#include "protocol/json/value.h"

namespace tandem::ctl {

/// One copy of a database.
struct Copy {
  std::string target;     ///< the server, as the user calls it
  std::string node;       ///< as the cluster manager calls it, or its host; empty: not told
  std::string server_id;  ///< new at each of the server's starts
  std::string database;
  bool active = false;
  bool relay = false;
  bool writable = false;
  /// Of an active `writable`, `expired`, `failing`, `damaged` or `read-only`; of a backup how it
  /// stands to its active, `replicating` being the best.
  std::string state;
  /// A backup that has all but the last moment of what its active has; a relay that has a source.
  bool in_sync = false;
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  std::string digest;
  bool own_digest = true;                    ///< false: it follows a server that gives no digests
  std::string source;                        ///< whom a backup follows
  std::optional<std::uint64_t> lag_records;  ///< nothing: not known
  std::optional<std::int64_t> lag_ms;
  std::optional<std::int64_t> heard_ms_ago;  ///< last word from its active
  std::vector<std::string> troubles;         ///< of the server, as its health has them
  /// Nobody has asked its server: its active tells of it.
  bool told = false;
};

/// A server that was asked, and its answer.
struct Asked {
  std::string target;
  Result<Json> status;  ///< its status as JSON, or why there is none
};

/// All that is known.
struct Copies {
  struct Silent {
    std::string target;
    std::string problem;
  };
  std::vector<Copy> copies;    ///< by database; of each the active first, relays last
  std::vector<Silent> silent;  ///< servers that gave no answer
};

/// Reads what servers have answered. One that was asked under two names counts once. Backups that
/// an active tells of are there as well.
Copies gather(const std::vector<Asked>& asked);

}  // namespace tandem::ctl
