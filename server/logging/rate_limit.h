#pragma once

#include <cstdint>
#include <optional>

#include "server/logging/log.h"
#include "server/posix/mutex.h"

namespace tandem::log {

/// A bucket of permissions to log, refilled at a constant rate. Sans clock: times are milliseconds
/// from any origin, and never go back.
class TokenBucket {
 public:
  /// `per_minute` permissions come in a minute, and at most `burst` of them are kept.
  TokenBucket(unsigned per_minute, unsigned burst);

  /// True if a line may be logged at `now_ms`; otherwise it counts as dropped.
  bool take(std::int64_t now_ms);

  struct Dropped {
    unsigned lines = 0;
    std::int64_t first_seconds_ago = 0;
    std::int64_t last_seconds_ago = 0;
  };
  /// What was dropped since the last call, if anything was.
  std::optional<Dropped> collect_dropped(std::int64_t now_ms);

 private:
  static constexpr std::int64_t kLine = 60'000;  ///< a permission, in (lines a minute) x ms
  std::int64_t rate_;
  std::int64_t capacity_;
  std::int64_t level_;
  std::optional<std::int64_t> last_fill_ms_;
  unsigned dropped_ = 0;
  std::int64_t first_drop_ms_ = 0;
  std::int64_t last_drop_ms_ = 0;
};

/// Keeps one place in the code from flooding the log: define one, static, beside the call, and ask
/// it first. Thread-safe.
///
///     static log::RateLimit limit(60, 5);
///     if (limit.admit(logger, log::Level::kWarn)) logger.warn(...);
class RateLimit {
 public:
  RateLimit(unsigned per_minute, unsigned burst) : bucket_(per_minute, burst) {}

  /// True if `module` may log a line of `level` now. Says how many lines were dropped before when
  /// the first one passes again. Levels that reach no destination are not counted.
  bool admit(Module& module, Level level);

 private:
  Mutex mutex_;
  TokenBucket bucket_ GUARDED_BY(mutex_);
};

}  // namespace tandem::log
