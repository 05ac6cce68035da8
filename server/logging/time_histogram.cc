#include "server/logging/time_histogram.h"

#include <algorithm>

namespace tandem {

void TimeHistogram::add(std::int64_t us, std::uint64_t events) noexcept {
  us = std::max<std::int64_t>(us, 0);
  const auto bound = std::lower_bound(kBoundsUs.begin(), kBoundsUs.end(), us);
  const auto step = static_cast<std::size_t>(bound - kBoundsUs.begin());
  steps_[step].fetch_add(events, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::uint64_t>(us) * events, std::memory_order_relaxed);
}

TimeHistogram::Totals TimeHistogram::totals() const noexcept {
  Totals totals;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    totals.steps[i] = steps_[i].load(std::memory_order_relaxed);
  totals.sum_us = sum_us_.load(std::memory_order_relaxed);
  return totals;
}

}  // namespace tandem
