#include "server/logging/lost_lines.h"

#include <fmt/core.h>

#include <utility>

namespace tandem::log {

void LostLines::lost(std::int64_t now_ms) {
  count_.add();
  if (lines_++ == 0) first_ms_ = now_ms;
  last_ms_ = now_ms;
}

std::optional<std::string> LostLines::taken(std::int64_t now_ms) {
  if (lines_ == 0 || (told_ms_ && now_ms - *told_ms_ < kTellEveryMs)) return std::nullopt;
  told_ms_ = now_ms;
  return fmt::format(
      "Dropped {} log messages in last {} seconds (most recently, {} seconds ago) "
      "because {} did not take them",
      std::exchange(lines_, 0), (now_ms - first_ms_) / 1000, (now_ms - last_ms_) / 1000, taker_);
}

}  // namespace tandem::log
