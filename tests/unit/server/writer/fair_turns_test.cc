#include "server/writer/fair_turns.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

struct SetClock final : Clock {
  std::int64_t wall_ms() const override { return 0; }
  std::int64_t monotonic_ms() const override { return us / 1000; }
  std::int64_t monotonic_us() const override { return us; }
  std::int64_t us = 0;
};

struct Fixture {
  LaneRef lane() { return std::make_shared<Lane>(SessionId{1}, runner); }
  void job(const LaneRef& lane, char name, std::int64_t us) {
    auto work = [this, name, us] {
      log += name;
      clock.us += us;
    };
    turns.run(lane, work);
  }

  FakeRunner runner;
  SetClock clock;
  FairTurns turns{clock};
  std::string log;
};

TEST_CASE("quick jobs run at once, however many") {
  Fixture f;
  const LaneRef lane = f.lane();
  for (int i = 0; i < 1000; ++i) f.job(lane, 'a', 1);
  CHECK(f.log.size() == 1000);
  CHECK(f.turns.next() == nullptr);
}

TEST_CASE("the costly jobs of one session wait, those of others go on") {
  Fixture f;
  const LaneRef costly = f.lane();
  const LaneRef quick = f.lane();
  for (int i = 0; i < 4; ++i) f.job(costly, 'C', 10'000);
  f.job(quick, 'q', 5);
  CHECK(f.log == "Cq");
  f.turns.end_batch();
  f.job(costly, 'D', 5);  // behind those of its own that wait
  f.job(quick, 'q', 5);
  f.turns.run_waiting();
  CHECK(f.log == "CqqC");
  f.turns.end_batch();
  f.turns.run_waiting();
  f.turns.run_waiting();
  f.turns.run_waiting();
  CHECK(f.log == "CqqCCCD");
  CHECK(f.turns.next() == nullptr);
}

TEST_CASE("sessions that wait take turns") {
  Fixture f;
  const LaneRef a = f.lane();
  const LaneRef b = f.lane();
  for (int i = 0; i < 3; ++i) f.job(a, 'a', 3000);
  for (int i = 0; i < 3; ++i) f.job(b, 'b', 3000);
  while (f.turns.next() != nullptr) f.turns.run_waiting();
  CHECK(f.log == "ababab");
}

TEST_CASE("a turn lasts for many jobs that are quick enough") {
  Fixture f;
  const LaneRef lane = f.lane();
  for (int i = 0; i < 10; ++i) f.job(lane, 'a', 1000);
  CHECK(f.log == "aa");
  f.turns.run_waiting();
  CHECK(f.log == "aaaa");
}

TEST_CASE("what a lane keeps is dropped with its session, and others have the turn") {
  Fixture f;
  const LaneRef gone = f.lane();
  const LaneRef here = f.lane();
  for (int i = 0; i < 3; ++i) f.job(gone, 'g', 3000);
  for (int i = 0; i < 2; ++i) f.job(here, 'h', 3000);
  f.turns.drop(*gone);
  f.turns.run_waiting();
  CHECK(f.log == "ghh");
  CHECK(f.turns.next() == nullptr);
  f.turns.run_waiting();
}

}  // namespace
}  // namespace tandem
