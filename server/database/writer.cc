#include "server/database/writer.h"

#include <utility>

namespace tandem {

void Writer::submit(Task job, TaskRunner& runner) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    if (state_ != State::kIdle) return;
    state_ = State::kPosted;
  }
  runner.post([this, &runner] { start(runner); });
}

void Writer::start(TaskRunner& runner) {
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kPosted) return;  // call() has taken over
    state_ = State::kRunning;
  }
  run(runner);
}

void Writer::call(Task job, TaskRunner& runner) {
  bool done = false;  // under mutex_
  bool mine = false;
  {
    std::lock_guard lock(mutex_);
    queue_.emplace_back([this, &job, &done] {
      job();
      std::lock_guard done_lock(mutex_);
      done = true;
      called_.notify_all();
    });
    mine = std::exchange(state_, State::kRunning) != State::kRunning;
  }
  if (mine) {
    run(runner);
    return;
  }
  std::unique_lock lock(mutex_);
  called_.wait(lock, [&done] { return done; });
}

void Writer::run(TaskRunner& runner) {
  std::vector<Task> batch;
  for (int i = 0; i < kMaxBatches; ++i) {
    {
      std::lock_guard lock(mutex_);
      batch.clear();
      batch.swap(queue_);
      if (batch.empty()) {
        state_ = State::kIdle;
        return;
      }
    }
    for (Task& job : batch) job();
    end_batch_();
  }
  {
    std::lock_guard lock(mutex_);
    state_ = State::kPosted;
  }
  runner.post([this, &runner] { start(runner); });
}

}  // namespace tandem
