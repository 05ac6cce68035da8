#include "replication/follower_status.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

TEST_CASE("what is left of a resync is estimated from the rows that came so far") {
  FollowerStatus status;
  status.state = FollowerStatus::State::kResyncing;
  status.rows_total = 100;
  status.rows_since_ms = 1000;
  CHECK(status.resync_left_ms(2000) == std::nullopt);
  status.rows = 25;
  CHECK(status.resync_left_ms(2000) == 3000);
  status.rows = 100;
  CHECK(status.resync_left_ms(5000) == 0);
  status.state = FollowerStatus::State::kReplicating;
  CHECK(status.resync_left_ms(5000) == std::nullopt);
}

TEST_CASE("lag is the age of the oldest record that is not written here yet") {
  FollowerStatus status;
  CHECK(status.lag_ms(700) == 0);
  status.behind_since_ms = 500;
  CHECK(status.lag_ms(700) == 200);
}

}  // namespace
}  // namespace tandem
