#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "server/storage/daily_window.h"

namespace tandem::storage {

/// How a log has grown since it was last compacted.
struct LogGrowth {
  std::uint64_t size = 0;            ///< bytes now
  std::uint64_t compacted_size = 0;  ///< bytes after the last compaction
  std::uint64_t commits = 0;         ///< records added since
};

/// When logs are compacted without a command. A value.
///
/// The rule of ovsdb-server(1) for `ovsdb-server/compact`: a log that has doubled, and one that was
/// not compacted for a day. `every` takes the place of the day, for any log that has grown. Outside
/// the window only a log is due that has grown beyond bounds.
struct CompactionPolicy {
  std::optional<std::chrono::seconds> every;
  std::optional<DailyWindow> window;

  /// Whether to compact a log now, `since_last` after its last compaction or, if there was none,
  /// after it was opened. `time_of_day` is local, counted from midnight.
  bool is_due(const LogGrowth& growth, std::chrono::seconds since_last,
              std::chrono::minutes time_of_day) const;
};

}  // namespace tandem::storage
