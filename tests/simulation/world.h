#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "server/database/clock.h"
#include "server/session/connection_port.h"

namespace tandem::simulation {

/// Time and chance of one run: everything that happens is an event here, and the same seed gives
/// the same events.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  std::int64_t now_ms() const { return now_ms_; }

  void at(std::int64_t ms, std::function<void()> event) {
    events_.emplace(std::pair(std::max(ms, now_ms_), next_++), std::move(event));
  }
  void after(std::int64_t ms, std::function<void()> event) { at(now_ms_ + ms, std::move(event)); }
  /// Runs events up to that time.
  void run_until(std::int64_t ms) {
    while (!events_.empty() && events_.begin()->first.first <= ms) {
      auto event = events_.extract(events_.begin());
      now_ms_ = event.key().first;
      event.mapped()();
    }
    now_ms_ = ms;
  }
  /// What was to happen does not: before those to whom it would are destroyed.
  void end() {
    while (!events_.empty()) events_.erase(events_.begin());
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
  std::int64_t now_ms_ = 1000;
  std::uint64_t next_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> events_;
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

/// A thread of a simulated process: its tasks run in order, a while after they were posted.
class SimulatedShard final : public Shard {
 public:
  explicit SimulatedShard(World& world) : world_(world) {}

  void post(Task task) override {
    tasks_->push_back(std::move(task));
    if (tasks_->size() == 1) run_soon();
  }
  bool is_current() const override { return running_; }
  unsigned index() const override { return 0; }
  /// The process is killed: nothing that was posted runs any more.
  void kill() { tasks_.reset(); }
  bool is_alive() const { return tasks_ != nullptr; }
  /// SIGSTOP, and SIGCONT: then what was posted meanwhile runs.
  void set_stopped(bool stopped) {
    stopped_ = stopped;
    if (!stopped && std::exchange(due_, false)) run_soon();
  }
  bool is_stopped() const { return stopped_; }

 private:
  void run_soon() {
    world_.after(world_.ms(3), [this, tasks = std::weak_ptr(tasks_)] {
      if (tasks.expired()) return;
      if (stopped_) {
        due_ = true;
      } else {
        run();
      }
    });
  }
  void run() {
    const auto tasks = tasks_;
    running_ = true;
    // What these post joins the queue: the first stays in it until it has run, so that nobody
    // schedules another run meanwhile.
    while (!tasks->empty()) {
      Task task = std::move(tasks->front());
      task();
      tasks->pop_front();
    }
    running_ = false;
  }

  World& world_;
  std::shared_ptr<std::deque<Task>> tasks_ = std::make_shared<std::deque<Task>>();
  bool running_ = false;
  bool stopped_ = false;
  bool due_ = false;  ///< was to run while it was stopped
};

}  // namespace tandem::simulation
