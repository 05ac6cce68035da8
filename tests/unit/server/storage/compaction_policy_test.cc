#include "server/storage/compaction_policy.h"

#include <catch2/catch.hpp>

using namespace tandem::storage;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;
const LogGrowth kDoubled{21 * kMegabyte, 10 * kMegabyte, 100};
const LogGrowth kGrown{20 * kMegabyte, 10 * kMegabyte, 100};
const LogGrowth kHardly{10 * kMegabyte + 100, 10 * kMegabyte, 1};
const LogGrowth kNot{10 * kMegabyte, 10 * kMegabyte, 0};

bool is_due(const LogGrowth& growth, std::chrono::seconds since_last) {
  return CompactionPolicy{}.is_due(growth, since_last, 0min);
}

CompactionPolicy by_night(std::optional<std::chrono::seconds> every = {}) {
  return {every, DailyWindow::parse("22:30-04:00").value()};
}

}  // namespace

TEST_CASE("A log that has doubled is compacted after 10 minutes and 100 commits") {
  CHECK(is_due(kDoubled, 10min));
  CHECK(!is_due(kDoubled, 10min - 1s));
  CHECK(!is_due({kDoubled.size, kDoubled.compacted_size, 99}, 10min));
}

TEST_CASE("A log that has not doubled waits for a day") {
  CHECK(!is_due(kGrown, 24h - 1s));
  CHECK(is_due(kGrown, 24h));
  CHECK(!is_due({kGrown.size, kGrown.compacted_size, 99}, 48h));
}

TEST_CASE("A log below 10 MB waits for a day") {
  const LogGrowth small{10 * kMegabyte - 1, 1000, 5000};
  CHECK(!is_due(small, 1h));
  CHECK(is_due({10 * kMegabyte, 1000, 5000}, 1h));
  CHECK(is_due(small, 24h));
}

TEST_CASE("With an interval a log that has grown at all waits no longer") {
  const CompactionPolicy hourly{1h, {}};
  CHECK(!hourly.is_due(kHardly, 1h - 1s, 0min));
  CHECK(hourly.is_due(kHardly, 1h, 0min));
  CHECK(!hourly.is_due(kNot, 1000h, 0min));
  CHECK(CompactionPolicy{1s, {}}.is_due(kHardly, 1s, 0min));
}

TEST_CASE("With an interval a log that has doubled is compacted earlier, as without") {
  const CompactionPolicy weekly{168h, {}};
  CHECK(weekly.is_due(kDoubled, 10min, 0min));
  CHECK(!weekly.is_due(kGrown, 168h - 1s, 0min));
  CHECK(weekly.is_due(kGrown, 168h, 0min));
}

TEST_CASE("With a window nothing is compacted at other times") {
  for (const LogGrowth& growth : {kDoubled, kGrown}) {
    CHECK(!by_night().is_due(growth, 24h, 12h));
    CHECK(by_night().is_due(growth, 24h, 23h));
    CHECK(by_night().is_due(growth, 24h, 0min));
  }
  CHECK(!by_night(1h).is_due(kHardly, 48h, 12h));
  CHECK(by_night(1h).is_due(kHardly, 48h, 1h));
  CHECK(!by_night(1h).is_due(kHardly, 59min, 1h));
  CHECK(!by_night().is_due(kGrown, 23h, 1h));
}

TEST_CASE("A log of 100 MB and four times what it was does not wait for the window") {
  CHECK(by_night().is_due({101 * kMegabyte, 25 * kMegabyte, 100}, 10min, 12h));
  CHECK(!by_night().is_due({100 * kMegabyte - 1, 1000, 100}, 10min, 12h));
  CHECK(!by_night().is_due({200 * kMegabyte, 50 * kMegabyte, 100}, 10min, 12h));
  CHECK(by_night(1h).is_due({204 * kMegabyte, 50 * kMegabyte, 100}, 10min, 12h));
  CHECK(!by_night().is_due({101 * kMegabyte, 25 * kMegabyte, 100}, 10min - 1s, 12h));
}
