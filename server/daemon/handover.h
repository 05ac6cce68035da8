#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/posix/unique_fd.h"

namespace tandem {

/// What control commands changed since the start, for the server that the monitor process starts
/// after a crash. It holds whole settings, not differences: they take the place of the command
/// line's.
struct HandoverState {
  std::vector<std::string> databases;       ///< as for Options::databases, absolute
  std::vector<std::string> remotes;         ///< those of active_remotes among them
  std::vector<std::string> active_remotes;  ///< that listen only while this server is active
  std::string active_server;                ///< empty: none
  bool backup = false;
  std::uint64_t least_epoch = 0;  ///< of an active server that may be followed
  std::string exclude_tables;
  std::int64_t lease_length_ms = 0;
  std::int64_t lease_deadline_ms = 0;          ///< monotonic; 0: the role lease is unarmed
  std::optional<std::uint64_t> deposed_epoch;  ///< another server was made active in it
  unsigned sync_replicas = 0;
  unsigned sync_timeout_ms = 0;
  bool sync_block = false;
  std::string sync_peers = "any";
  std::string node_name;
  std::string advertised_role = "none";
  std::vector<std::string> role_changes{};  ///< RoleLog::to_texts()

  bool operator==(const HandoverState&) const = default;
};

/// An anonymous file that the monitor and all its children share. Each save appends one line of
/// JSON, and the last complete line counts: a crash in the middle of a save costs that save alone.
class HandoverFile {
 public:
  /// Made by the monitor, or by a server without one, where it is of no use and does no harm.
  HandoverFile();

  /// Called by the serving process whenever something changed; thread-compatible.
  void save(const HandoverState& state);
  /// The last state saved by any process that shares the file; nothing before the first.
  std::optional<HandoverState> load() const;

 private:
  UniqueFd fd_;
};

}  // namespace tandem
