#include "server/logging/lost_lines.h"

#include <catch2/catch.hpp>

namespace tandem::log {
namespace {

EventCount count("lost_lines_of_this_test");

TEST_CASE("lost lines are counted, and told of when a line goes again") {
  LostLines lines("syslog", count);
  CHECK(!lines.taken(0));
  const auto before = count.total();
  lines.lost(1000);
  lines.lost(3000);
  CHECK(count.total() == before + 2);
  CHECK(lines.taken(4500) ==
        "Dropped 2 log messages in last 3 seconds (most recently, 1 seconds ago) because syslog "
        "did not take them");
  CHECK(!lines.taken(10'000));
}

TEST_CASE("lost lines are told of once a second, and none is left out") {
  LostLines lines("syslog", count);
  lines.lost(0);
  CHECK(lines.taken(0));
  lines.lost(10);
  CHECK(!lines.taken(20));
  lines.lost(500);
  CHECK(!lines.taken(999));
  const auto told = lines.taken(1000);
  REQUIRE(told);
  CHECK(told->starts_with("Dropped 2 log messages in last 0 seconds"));
}

}  // namespace
}  // namespace tandem::log
