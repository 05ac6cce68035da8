#include "server/net/timer_wheel.h"

#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

using tandem::net::TimerWheel;
using tandem::net::WheelTimer;

namespace {
struct TestTimer : WheelTimer {
  explicit TestTimer(std::function<void()> action) : action_(std::move(action)) {}
  void on_timer(std::int64_t) override { action_(); }
  std::function<void()> action_;
};
}  // namespace

TEST_CASE("Timers fire at the first tick not before their time") {
  TimerWheel wheel;
  int fired = 0;
  TestTimer timer([&] { ++fired; });
  wheel.set(timer, 1001);
  CHECK(wheel.next_ms() == 1100);
  wheel.run(1099);
  CHECK(fired == 0);
  wheel.run(1100);
  CHECK(fired == 1);
  wheel.run(5000);
  CHECK(fired == 1);
  CHECK(wheel.next_ms() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("Setting a timer again moves it, and destroying it cancels it") {
  TimerWheel wheel;
  int fired = 0;
  auto timer = std::make_unique<TestTimer>([&] { ++fired; });
  wheel.set(*timer, 100);
  wheel.set(*timer, 300);
  wheel.run(200);
  CHECK(fired == 0);
  timer.reset();
  wheel.run(300);
  CHECK(fired == 0);
}

TEST_CASE("A timer may destroy another that is due, and set itself again") {
  TimerWheel wheel;
  int fired = 0;
  std::unique_ptr<TestTimer> second;
  TestTimer first([&] {
    ++fired;
    second.reset();
    if (fired < 2) wheel.set(first, 0);
  });
  second = std::make_unique<TestTimer>([&] { fired += 100; });
  wheel.set(first, 100);
  wheel.set(*second, 100);
  wheel.run(100);
  CHECK(fired == 1);
  wheel.run(200);
  CHECK(fired == 2);
}
