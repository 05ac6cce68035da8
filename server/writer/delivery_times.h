#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "server/logging/time_histogram.h"

namespace tandem {

/// Remembers when the newest commits of a database were logged, so that an acknowledgement tells
/// how long they took to a backup. The writer's. Times are monotonic microseconds.
class DeliveryTimes {
 public:
  /// So many moments are kept. What was logged earlier counts as if it had been at the oldest of
  /// them: as less than it took.
  static constexpr std::size_t kMost = 4096;

  /// The commit of this index is in the log since then. Commits of one moment cost one place.
  void logged(std::uint64_t index, std::int64_t at_us);
  /// Counts the commits after `from`, up to `to`, which a backup has now.
  void acknowledged(std::uint64_t from, std::uint64_t to, std::int64_t now_us,
                    TimeHistogram& deliveries) const;

 private:
  struct Moment {
    std::uint64_t index;  ///< of the last commit
    std::int64_t at_us;
  };
  std::deque<Moment> moments_;
};

}  // namespace tandem
