#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "server/session/connection_port.h"
#include "tests/simulation/hanging_disk.h"

namespace tandem::simulation {

/// A thread of a simulated process: its tasks run in order, a while after they were posted.
class SimulatedShard final : public Shard {
 public:
  SimulatedShard(World& world, HangingDisk& disk) : world_(world), disk_(disk) {}

  void post(Task task) override {
    tasks_->push_back(std::move(task));
    if (tasks_->size() == 1) run_soon();
  }
  /// The writer goes no further while the disk hangs: its next batch begins when it answers. What
  /// is in memory only nobody has seen, so this is as good as a write in the middle of one.
  void post_lent(Task task) override {
    if (!disk_.holds_writes()) return post(std::move(task));
    disk_.wait([this, task = std::move(task)]() mutable { post(std::move(task)); });
  }
  bool is_current() const override { return running_; }
  unsigned index() const override { return 0; }
  /// The process is killed: nothing that was posted runs any more.
  void kill() {
    tasks_.reset();
    disk_.forget();
  }
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
  HangingDisk& disk_;
  std::shared_ptr<std::deque<Task>> tasks_ = std::make_shared<std::deque<Task>>();
  bool running_ = false;
  bool stopped_ = false;
  bool due_ = false;  ///< was to run while it was stopped
};

}  // namespace tandem::simulation
