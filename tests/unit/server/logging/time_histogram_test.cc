#include "server/logging/time_histogram.h"

#include <catch2/catch.hpp>
#include <numeric>

namespace tandem {
namespace {

TEST_CASE("a time is counted in the step that ends with it, or the next one") {
  TimeHistogram times;
  times.add(50);
  times.add(51, 3);
  times.add(20'000'000);
  const TimeHistogram::Totals totals = times.totals();
  CHECK(totals.steps[0] == 1);
  CHECK(totals.steps[1] == 3);
  CHECK(totals.steps.back() == 1);
  CHECK(std::accumulate(totals.steps.begin(), totals.steps.end(), std::uint64_t{0}) == 5);
  CHECK(totals.sum_us == 50 + 3 * 51 + 20'000'000);
}

TEST_CASE("a time before its beginning counts as none") {
  TimeHistogram times;
  times.add(-7);
  CHECK(times.totals().steps[0] == 1);
  CHECK(times.totals().sum_us == 0);
}

}  // namespace
}  // namespace tandem
