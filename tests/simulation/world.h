#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"

namespace tandem::simulation {

/// Time and chance of one run: everything that happens is an event here, and the same seed gives
/// the same events.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  std::int64_t now_ms() const { return now_ms_; }

  void at(std::int64_t ms, std::function<void()> event) {
    events_.push_back({std::max(ms, now_ms_), next_++, std::move(event)});
    std::push_heap(events_.begin(), events_.end(), is_later);
  }
  void after(std::int64_t ms, std::function<void()> event) { at(now_ms_ + ms, std::move(event)); }
  /// Runs events up to that time.
  void run_until(std::int64_t ms) {
    while (!events_.empty() && events_.front().ms <= ms) {
      const Event event = take_next();
      now_ms_ = event.ms;
      event.run();
    }
    now_ms_ = ms;
  }
  /// What was to happen does not: before those to whom it would are destroyed.
  void end() {
    while (!events_.empty()) take_next();
  }
  /// What happens, for whoever follows a seed: with TANDEM_TRACE in the environment.
  void trace(const std::string& who, const std::string& what) const {
    if (trace_)
      std::fprintf(stderr, "%7ld %s: %s\n", static_cast<long>(now_ms_), who.c_str(), what.c_str());
  }
  /// 0 to n - 1.
  std::uint64_t random(std::uint64_t n) { return random_() % n; }
  std::int64_t ms(std::int64_t below) {
    return static_cast<std::int64_t>(random(static_cast<std::uint64_t>(below)));
  }
  bool chance(unsigned percent) { return random(100) < percent; }

 private:
  struct Event {
    std::int64_t ms;
    std::uint64_t number;  ///< of two at one time the one that was planned first comes first
    std::function<void()> run;
  };
  static bool is_later(const Event& a, const Event& b) {
    return a.ms != b.ms ? a.ms > b.ms : a.number > b.number;
  }
  Event take_next() {
    std::pop_heap(events_.begin(), events_.end(), is_later);
    Event event = std::move(events_.back());
    events_.pop_back();
    return event;
  }

  std::int64_t now_ms_ = 1000;
  std::uint64_t next_ = 0;
  std::vector<Event> events_;  ///< a heap: its first is the next
  std::mt19937_64 random_;
  const bool trace_ = std::getenv("TANDEM_TRACE") != nullptr;
};

/// The clocks of one machine. They jump: the wall clock both ways, the other one ahead, as after a
/// suspension.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(const World& world) : world_(world) {}
  std::int64_t wall_ms() const override { return 1'700'000'000'000 + world_.now_ms() + wall_; }
  std::int64_t monotonic_ms() const override { return world_.now_ms() + monotonic_; }
  /// The world's time when this clock will show `monotonic_ms`.
  std::int64_t world_ms(std::int64_t monotonic_ms) const { return monotonic_ms - monotonic_; }

  void jump_wall(std::int64_t ms) { wall_ += ms; }
  void jump_ahead(std::int64_t ms) { monotonic_ += ms; }

 private:
  const World& world_;
  std::int64_t wall_ = 0;
  std::int64_t monotonic_ = 0;
};

}  // namespace tandem::simulation
