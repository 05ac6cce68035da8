#include "server/logging/rate_limit.h"

#include <algorithm>
#include <chrono>

namespace tandem::log {

TokenBucket::TokenBucket(unsigned per_minute, unsigned burst)
    : rate_(per_minute), capacity_(burst * kLine), level_(capacity_) {}

bool TokenBucket::take(std::int64_t now_ms) {
  if (last_fill_ms_) level_ = std::min(capacity_, level_ + (now_ms - *last_fill_ms_) * rate_);
  last_fill_ms_ = now_ms;
  if (level_ >= kLine) {
    level_ -= kLine;
    return true;
  }
  if (dropped_++ == 0) first_drop_ms_ = now_ms;
  last_drop_ms_ = now_ms;
  return false;
}

std::optional<TokenBucket::Dropped> TokenBucket::collect_dropped(std::int64_t now_ms) {
  if (dropped_ == 0) return std::nullopt;
  const Dropped result{dropped_, (now_ms - first_drop_ms_) / 1000, (now_ms - last_drop_ms_) / 1000};
  dropped_ = 0;
  return result;
}

bool RateLimit::admit(Module& module, Level level) {
  if (!module.enabled(level)) return false;
  if (!module.rate_limited()) return true;
  std::optional<TokenBucket::Dropped> dropped;
  {
    const MutexLock lock(mutex_);
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    if (!bucket_.take(now_ms)) return false;
    dropped = bucket_.collect_dropped(now_ms);
  }
  if (dropped) {
    module.write(
        level,
        fmt::format("Dropped {} log messages in last {} seconds (most recently, {} seconds ago) "
                    "due to excessive rate",
                    dropped->lines, dropped->first_seconds_ago, dropped->last_seconds_ago));
  }
  return true;
}

}  // namespace tandem::log
