#include "server/storage/compaction_policy.h"

#include <catch2/catch.hpp>

using namespace tandem::storage;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;
const LogGrowth kDoubled{21 * kMegabyte, 10 * kMegabyte, 100};

}  // namespace

TEST_CASE("A log that has doubled is compacted after 10 minutes and 100 commits") {
  CHECK(compaction_due(kDoubled, 10min));
  CHECK(!compaction_due(kDoubled, 10min - 1s));
  CHECK(!compaction_due({kDoubled.size, kDoubled.compacted_size, 99}, 10min));
}

TEST_CASE("A log that has not doubled waits for a day") {
  const LogGrowth grown{20 * kMegabyte, 10 * kMegabyte, 100};
  CHECK(!compaction_due(grown, 24h - 1s));
  CHECK(compaction_due(grown, 24h));
  CHECK(!compaction_due({grown.size, grown.compacted_size, 99}, 48h));
}

TEST_CASE("A log below 10 MB waits for a day") {
  const LogGrowth small{10 * kMegabyte - 1, 1000, 5000};
  CHECK(!compaction_due(small, 1h));
  CHECK(compaction_due({10 * kMegabyte, 1000, 5000}, 1h));
  CHECK(compaction_due(small, 24h));
}
