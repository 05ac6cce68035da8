#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>

#include "server/database/clock.h"
#include "server/session/connection_port.h"

namespace tandem::simulation {

/// Time and chance of one run: everything that happens is an event here, and the same seed gives
/// the same events.
class World final : public Clock {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  std::int64_t wall_ms() const override { return 1'700'000'000'000 + now_ms_; }
  std::int64_t monotonic_ms() const override { return now_ms_; }

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
  /// 0 to n - 1.
  std::uint64_t random(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return random(100) < percent; }

 private:
  std::int64_t now_ms_ = 1000;
  std::uint64_t next_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> events_;
  std::mt19937_64 random_;
};

/// A thread of a simulated process: its tasks run in order, a while after they were posted.
class SimulatedShard final : public Shard {
 public:
  explicit SimulatedShard(World& world) : world_(world) {}

  void post(Task task) override {
    tasks_->push_back(std::move(task));
    if (tasks_->size() > 1) return;
    world_.after(static_cast<std::int64_t>(world_.random(3)),
                 [this, tasks = std::weak_ptr(tasks_)] {
                   if (!tasks.expired()) run();
                 });
  }
  bool is_current() const override { return running_; }
  unsigned index() const override { return 0; }
  /// The process is killed: nothing that was posted runs any more.
  void kill() { tasks_.reset(); }

 private:
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
};

}  // namespace tandem::simulation
