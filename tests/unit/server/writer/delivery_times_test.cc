#include "server/writer/delivery_times.h"

#include <catch2/catch.hpp>
#include <numeric>

namespace tandem {
namespace {

std::uint64_t events_in(const TimeHistogram& times) {
  const TimeHistogram::Totals totals = times.totals();
  return std::accumulate(totals.steps.begin(), totals.steps.end(), std::uint64_t{0});
}

TEST_CASE("each commit counts with the time since it was logged, once it is acknowledged") {
  DeliveryTimes times;
  TimeHistogram deliveries;
  times.logged(11, 1000);
  times.logged(12, 1000);
  times.logged(13, 5000);
  times.acknowledged(10, 12, 6000, deliveries);
  CHECK(events_in(deliveries) == 2);
  CHECK(deliveries.totals().sum_us == 2 * 5000);
  times.acknowledged(12, 13, 6000, deliveries);
  CHECK(events_in(deliveries) == 3);
  CHECK(deliveries.totals().sum_us == 2 * 5000 + 1000);
  times.acknowledged(13, 13, 9000, deliveries);
  CHECK(events_in(deliveries) == 3);
}

TEST_CASE("what was logged before the moments that are kept counts with the oldest of them") {
  DeliveryTimes times;
  TimeHistogram deliveries;
  constexpr auto kLast = static_cast<std::uint64_t>(DeliveryTimes::kMost + 100);
  for (std::uint64_t index = 1; index <= kLast; ++index)
    times.logged(index, static_cast<std::int64_t>(index));
  times.acknowledged(0, kLast, static_cast<std::int64_t>(kLast), deliveries);
  CHECK(events_in(deliveries) == kLast);
}

TEST_CASE("a history that takes the place of another one begins anew") {
  DeliveryTimes times;
  TimeHistogram deliveries;
  times.logged(100, 1000);
  times.logged(5, 2000);
  times.acknowledged(4, 5, 2500, deliveries);
  CHECK(deliveries.totals().sum_us == 500);
}

}  // namespace
}  // namespace tandem
