#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "protocol/error.h"

namespace tandem::storage {

/// A part of each day, in local time. A value.
class DailyWindow {
 public:
  /// Reads "HH:MM-HH:MM". If the end is earlier than the begin the window passes midnight.
  static Result<DailyWindow> parse(std::string_view text);

  /// `time_of_day` is counted from midnight. The end is no part of the window.
  bool contains(std::chrono::minutes time_of_day) const;

 private:
  DailyWindow(std::chrono::minutes begin, std::chrono::minutes end) : begin_(begin), end_(end) {}

  std::chrono::minutes begin_;
  std::chrono::minutes end_;
};

/// What local clocks show at a time that is given in milliseconds since 1970.
std::chrono::minutes local_time_of_day(std::int64_t wall_ms);

}  // namespace tandem::storage
