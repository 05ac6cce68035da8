#include "server/storage/daily_window.h"

#include <fmt/core.h>

#include <charconv>
#include <ctime>
#include <optional>

namespace tandem::storage {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// Of two digits.
std::optional<int> number(std::string_view text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (text.size() != 2 || problem != std::errc() || stop != end || value < 0) return std::nullopt;
  return value;
}

std::optional<minutes> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = number(text.substr(0, 2));
  const auto minute = number(text.substr(3));
  if (!hour || !minute || *minute > 59) return std::nullopt;
  const minutes time = hours(*hour) + minutes(*minute);
  if (time > hours(24)) return std::nullopt;
  return time;
}

}  // namespace

Result<DailyWindow> DailyWindow::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto begin = time_of_day(text.substr(0, dash));
  const auto end = dash == std::string_view::npos ? begin : time_of_day(text.substr(dash + 1));
  const auto refuse = [&](std::string_view why) {
    return Error{fmt::format("\"{}\" {}", text, why), "", std::nullopt};
  };
  if (dash == std::string_view::npos || !begin || !end)
    return refuse("is not of the form HH:MM-HH:MM");
  if (*begin == *end) return refuse("ends when it begins");
  return DailyWindow(*begin, *end);
}

bool DailyWindow::contains(minutes time_of_day) const {
  const bool has_begun = time_of_day >= begin_;
  const bool has_not_ended = time_of_day < end_;
  return begin_ < end_ ? has_begun && has_not_ended : has_begun || has_not_ended;
}

minutes local_time_of_day(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  return hours(local.tm_hour) + minutes(local.tm_min);
}

}  // namespace tandem::storage
