#include "server/logging/rate_limit.h"

#include <catch2/catch.hpp>

namespace tandem::log {
namespace {

TEST_CASE("a burst passes and what exceeds it is dropped") {
  TokenBucket bucket(60, 3);
  CHECK(bucket.take(0));
  CHECK(bucket.take(0));
  CHECK(bucket.take(0));
  CHECK(!bucket.take(0));
}

TEST_CASE("permissions come back at the rate") {
  TokenBucket bucket(60, 1);
  CHECK(bucket.take(0));
  CHECK(!bucket.take(999));
  CHECK(bucket.take(1000));
  CHECK(!bucket.take(1500));
}

TEST_CASE("dropped lines are reported once with their age") {
  TokenBucket bucket(60, 1);
  CHECK(bucket.take(0));
  for (int i = 0; i < 5; ++i) CHECK(!bucket.take(100 * i));
  CHECK(bucket.take(10'000));
  const auto dropped = bucket.collect_dropped(10'000);
  REQUIRE(dropped);
  CHECK(dropped->lines == 5);
  CHECK(dropped->first_seconds_ago == 10);
  CHECK(dropped->last_seconds_ago == 9);
  CHECK(!bucket.collect_dropped(10'000));
}

}  // namespace
}  // namespace tandem::log
