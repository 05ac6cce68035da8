#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tandem {

/// One client as it stands at the moment, for people. A value.
struct SessionFacts {
  std::string name;     ///< of the connection: "tcp:127.0.0.1:41234"
  std::string remote;   ///< that it came through
  std::string peer_id;  ///< common name of its certificate; empty without one
  std::string role;     ///< for RBAC; empty: none
  bool is_backup = false;
  std::uint64_t requests = 0;    ///< and notifications that it has sent so far
  std::size_t under_way = 0;     ///< of these that are not answered yet
  std::size_t unsent_bytes = 0;  ///< replies and updates that it has not taken yet
  bool is_behind = false;        ///< it does not take them
  std::size_t monitors = 0;
  std::vector<std::string> locks;    ///< that it holds
  std::vector<std::string> awaited;  ///< locks that it asked for, and another one holds
};

}  // namespace tandem
