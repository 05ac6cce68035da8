#pragma once

#include <chrono>
#include <cstdint>

namespace tandem::storage {

/// How a log has grown since it was last compacted.
struct LogGrowth {
  std::uint64_t size = 0;            ///< bytes now
  std::uint64_t compacted_size = 0;  ///< bytes after the last compaction
  std::uint64_t commits = 0;         ///< records added since
};

/// Whether to compact a log now, `since_last` after its last compaction or, if there was none,
/// after it was opened. The rule of ovsdb-server(1) for `ovsdb-server/compact`.
bool compaction_due(const LogGrowth& growth, std::chrono::seconds since_last);

}  // namespace tandem::storage
