#include "server/database/writer.h"

#include <utility>

namespace tandem {

void Writer::submit(Task job, TaskRunner& runner) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({std::move(job), &runner});
    if (state_ != State::kIdle) return;
    state_ = State::kPosted;
  }
  ask(runner);
}

void Writer::ask(TaskRunner& runner) {
  runner.post_lent([this, &runner] { start(runner); });
}

void Writer::start(TaskRunner& runner) {
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kPosted) return;  // somebody else was quicker
    state_ = State::kRunning;
  }
  run(runner);
}

void Writer::call(Task job, TaskRunner& runner) {
  bool done = false;  // under mutex_
  const auto run_job = [this, &job, &done] {
    job();
    std::lock_guard lock(mutex_);
    done = true;
    called_.notify_all();
  };
  std::unique_lock lock(mutex_);
  queue_.push_back({run_job, &runner});
  while (!done) {
    if (state_ == State::kRunning) {
      called_.wait(lock);
      continue;
    }
    state_ = State::kRunning;
    lock.unlock();
    run(runner);
    lock.lock();
  }
}

void Writer::run(TaskRunner& runner) {
  {
    std::lock_guard lock(mutex_);
    batch_.swap(queue_);
  }
  for (Job& job : batch_) job.task();
  end_batch_();
  batch_.clear();
  TaskRunner* next = nullptr;
  {
    std::lock_guard lock(mutex_);
    state_ = queue_.empty() ? State::kIdle : State::kPosted;
    if (!queue_.empty()) next = queue_.front().runner;
    called_.notify_all();
  }
  if (next != nullptr) ask(*next);
  left_(runner.take_back());
  // That runner may be busy with its own clients; this one is free again.
  if (next != nullptr && next != &runner) ask(runner);
}

}  // namespace tandem
