#include "server/net/probe.h"

#include <catch2/catch.hpp>
#include <limits>

using tandem::net::Probe;
using Action = Probe::Action;

TEST_CASE("A probe asks after a silence and gives up after another") {
  Probe probe(5000, 0);
  CHECK(probe.check(4999) == Action::kNone);
  CHECK(probe.check(5000) == Action::kSendEcho);
  CHECK(probe.check(9999) == Action::kNone);
  CHECK(probe.check(10000) == Action::kDisconnect);
}

TEST_CASE("Any sign of life starts the silence anew, also after the question") {
  Probe probe(1000, 0);
  probe.heard(900);
  CHECK(probe.deadline_ms() == 1900);
  CHECK(probe.check(1000) == Action::kNone);
  CHECK(probe.check(1900) == Action::kSendEcho);
  probe.heard(2500);
  CHECK(probe.check(2900) == Action::kNone);
  CHECK(probe.deadline_ms() == 3500);
}

TEST_CASE("An interval of zero turns probes off") {
  Probe probe(0, 0);
  CHECK(probe.check(1'000'000'000) == Action::kNone);
  CHECK(probe.deadline_ms() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("A new interval counts from the last sign of life") {
  Probe probe(0, 0);
  probe.heard(100);
  probe.set_interval(1000);
  CHECK(probe.deadline_ms() == 1100);
}

TEST_CASE("A question that went out late leaves the peer the whole time for its answer") {
  Probe probe(1000, 0);
  CHECK(probe.check(5000) == Action::kSendEcho);
  CHECK(probe.check(5999) == Action::kNone);
  CHECK(probe.check(6000) == Action::kDisconnect);
}
