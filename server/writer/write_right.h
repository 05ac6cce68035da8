#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>

#include "protocol/error.h"
#include "server/base/clock.h"

namespace tandem {

/// Until when a database may be written here, as its role and the lease have it: whether writes are
/// taken, whether those under way may still be answered, what "_Server" shows. The writer sets it,
/// any thread asks. To the millisecond, also if the process was stopped meanwhile: no timer has to
/// fire for it.
class WriteRight {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

  /// At this monotonic time.
  void end_at(std::int64_t ms) { until_ms_ = ms; }
  bool holds(const Clock& clock) const {
    const std::int64_t until = until_ms_;
    return until == kForever || (until != kNever && clock.monotonic_ms() < until);
  }

 private:
  std::atomic<std::int64_t> until_ms_ = kForever;
};

/// The answer to a transaction that came to its end after it: another server may be active by then,
/// and nobody knows which of them has it.
inline Error right_ended() {
  return {"not allowed", "the right to write ended before the transaction was in the log",
          std::nullopt};
}

using WriteRightRef = std::shared_ptr<WriteRight>;

}  // namespace tandem
