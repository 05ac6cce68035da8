#include "server/net/backoff.h"

#include <catch2/catch.hpp>
#include <vector>

using tandem::net::Backoff;

namespace {
std::vector<std::int64_t> waits(Backoff& backoff, int count) {
  std::vector<std::int64_t> result;
  for (int i = 0; i < count; ++i) result.push_back(backoff.next_wait_ms());
  return result;
}
}  // namespace

TEST_CASE("The first attempt is immediate and waits double up to the maximum") {
  Backoff backoff;
  CHECK(waits(backoff, 7) == std::vector<std::int64_t>{0, 1000, 2000, 4000, 8000, 8000, 8000});
}

TEST_CASE("The maximum is configurable and not below a second") {
  Backoff backoff(Backoff::Options{.max_ms = 3000});
  CHECK(waits(backoff, 5) == std::vector<std::int64_t>{0, 1000, 2000, 3000, 3000});
  Backoff small(Backoff::Options{.max_ms = 10});
  CHECK(waits(small, 3) == std::vector<std::int64_t>{0, 1000, 1000});
}

TEST_CASE("The loss of a connection that held is answered at once") {
  Backoff backoff;
  waits(backoff, 3);
  backoff.connection_ended(60'000);
  CHECK(backoff.is_reset());
  CHECK(waits(backoff, 2) == std::vector<std::int64_t>{0, 1000});
}

TEST_CASE("A peer that accepts and drops at once is not hammered") {
  Backoff backoff;
  CHECK(backoff.next_wait_ms() == 0);
  backoff.connection_ended(5);
  CHECK(backoff.next_wait_ms() == 1000);
  backoff.connection_ended(999);
  CHECK(backoff.next_wait_ms() == 2000);
  backoff.connection_ended(1999);
  CHECK(backoff.next_wait_ms() == 4000);
}

TEST_CASE("The maximum is announced when the coming wait has reached it") {
  Backoff backoff(Backoff::Options{.max_ms = 4000});
  CHECK(waits(backoff, 2).back() == 1000);
  CHECK_FALSE(backoff.at_maximum());
  CHECK(backoff.next_wait_ms() == 2000);
  CHECK(backoff.at_maximum());
}

TEST_CASE("Jitter only shortens waits") {
  Backoff backoff(Backoff::Options{.jitter = 0.5}, [] { return 0.5; });
  CHECK(waits(backoff, 3) == std::vector<std::int64_t>{0, 750, 1500});
}

TEST_CASE("A lower maximum cuts the coming wait") {
  Backoff backoff;
  waits(backoff, 5);
  backoff.set_max_ms(2000);
  CHECK(backoff.next_wait_ms() == 2000);
}
