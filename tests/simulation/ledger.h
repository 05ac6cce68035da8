#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tandem::simulation {

/// What the clients of a run wrote, and what became of it. Each write inserts one row, whose number
/// is the key.
struct Ledger {
  struct Write {
    std::uint64_t index = 0;    ///< of its record
    bool durable = false;       ///< its client asked for that
    bool acknowledged = false;  ///< its client was told
    bool published = false;     ///< readers of an active server saw it
    bool deleted = false;       ///< its row may have been deleted since: nothing is claimed of it
    bool shown =
        false;  ///< the status had it as not replicated when its server ceased to be active
  };
  using Writes = std::map<std::int64_t, Write>;
  std::map<std::string, Writes> databases;
  std::int64_t last_number = 0;
};

}  // namespace tandem::simulation
