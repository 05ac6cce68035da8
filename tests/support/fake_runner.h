#pragma once

#include <deque>
#include <utility>

#include "server/base/task.h"

namespace tandem {

/// A TaskRunner that runs when the test says so.
class FakeRunner final : public TaskRunner {
 public:
  void post(Task task) override { tasks_.push_back(std::move(task)); }
  bool is_current() const override { return running_; }

  /// Runs what is posted, and what that posts, until nothing is left.
  void run() {
    running_ = true;
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
    running_ = false;
  }
  /// Runs the oldest task; false if there is none.
  bool run_one() {
    if (tasks_.empty()) return false;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    running_ = true;
    task();
    running_ = false;
    return true;
  }
  bool idle() const { return tasks_.empty(); }

 private:
  std::deque<Task> tasks_;
  bool running_ = false;
};

}  // namespace tandem
