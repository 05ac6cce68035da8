#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/logging/event_count.h"

namespace tandem::log {

/// The lines that one destination did not take: counts them, and words what is to be said of them
/// once it takes lines again. Sans clock: times are milliseconds from any origin. Under the
/// logger's lock.
class LostLines {
 public:
  /// `taker` is the destination in that sentence; `count` is for "coverage/show".
  LostLines(std::string_view taker, EventCount& count) : taker_(taker), count_(count) {}

  void lost(std::int64_t now_ms);
  /// A line has gone. The sentence, if lines before it were lost, and no more than once a second.
  std::optional<std::string> taken(std::int64_t now_ms);

 private:
  static constexpr std::int64_t kTellEveryMs = 1000;

  std::string_view taker_;
  EventCount& count_;
  unsigned lines_ = 0;  ///< that nothing has been said of
  std::int64_t first_ms_ = 0;
  std::int64_t last_ms_ = 0;
  std::optional<std::int64_t> told_ms_;
};

}  // namespace tandem::log
