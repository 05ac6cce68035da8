#include "server/http/lag_drawing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

namespace tandem::http {

namespace {

constexpr std::uint64_t kHeight = 24;  ///< of the scale; a unit is left above and below
/// Less is not drawn as if it were much.
constexpr std::uint64_t kLeastScale = 10;

std::string scale_text(std::uint64_t most) {
  constexpr std::int64_t kMinutes = static_cast<std::int64_t>(control::LagHistory::kSamples) *
                                    control::LagHistory::kSampleMs / 60'000;
  if (most == 0) return fmt::format("never behind in the last {} minutes", kMinutes);
  return fmt::format("at most {} record{} behind in the last {} minutes", most,
                     most == 1 ? "" : "s", kMinutes);
}

}  // namespace

std::string lag_drawing(const control::LagHistory::Line& line) {
  std::uint64_t most = 0;
  bool any = false;
  for (const auto& value : line) {
    any = any || value.has_value();
    most = std::max(most, value.value_or(0));
  }
  if (!any) return "";
  const std::uint64_t scale = std::max(most, kLeastScale);
  std::string path;
  bool drawing = false;
  for (std::size_t x = 0; x < line.size(); ++x) {
    if (!line[x]) {
      drawing = false;
      continue;
    }
    // Without an overflow, whatever a stranger says.
    const auto part = static_cast<double>(*line[x]) / static_cast<double>(scale);
    const double y = 1 + static_cast<double>(kHeight) * (1 - part);
    path += fmt::format("{}{} {:.1f}", drawing ? "L" : "M", x, y);
    // The line of a single sample is a dot.
    if (!drawing && (x + 1 == line.size() || !line[x + 1])) path += "h.5";
    drawing = true;
  }
  return fmt::format(
      "<svg class=lag viewBox='0 0 {} {}' role=img aria-label='{}' preserveAspectRatio=none>"
      "<title>{}</title><path class=base d='M0 {}H{}'/><path d='{}'/></svg>",
      line.size(), kHeight + 2, scale_text(most), scale_text(most), kHeight + 1, line.size(), path);
}

}  // namespace tandem::http
