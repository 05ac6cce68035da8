#include "server/writer/writer.h"

#include <iterator>
#include <span>
#include <utility>

namespace tandem {
namespace {

/// A runner that stands in runs so many reads; then that of the next read has its turn.
constexpr int kReadsATurn = 8;

}  // namespace

void Writer::submit(Task job, TaskRunner& runner, std::optional<Origin> origin) {
  {
    MutexLock lock(mutex_);
    queue_.push_back({std::move(job), &runner, origin});
    if (is_stuck_ && origin && origin->only_reads) ask_stand_in(runner);
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
    MutexLock lock(mutex_);
    if (state_ != State::kPosted) return;  // somebody else was quicker
    state_ = State::kRunning;
  }
  run(runner);
}

void Writer::call(Task job, TaskRunner& runner) {
  bool done = false;  // under mutex_
  const auto run_job = [this, &job, &done] {
    job();
    MutexLock lock(mutex_);
    done = true;
    called_.notify_all();
  };
  MutexLock lock(mutex_);
  queue_.push_back({run_job, &runner, {}});
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
    MutexLock lock(mutex_);
    batch_.swap(queue_);
  }
  next_ = 0;
  do {
    while (next_ < batch_.size()) {
      Task task = std::move(batch_[next_++].task);
      if (task) task();
    }
    end_batch_();
  } while (next_ < batch_.size());  // end_wait() has put back reads that nobody has run
  batch_.clear();
  TaskRunner* next = nullptr;
  {
    MutexLock lock(mutex_);
    state_ = queue_.empty() ? State::kIdle : State::kPosted;
    if (!queue_.empty()) next = queue_.front().runner;
    called_.notify_all();
  }
  if (next != nullptr) ask(*next);
  left_(runner.take_back());
  // The one that was asked may be busy with its own clients. This one is free, and may be quicker.
  if (next != nullptr && next != &runner) ask(runner);
}

// --- reads while the writer waits for a disk ---

void Writer::begin_wait() {
  if (stand_in_ == nullptr) return;
  MutexLock lock(mutex_);
  ++waits_;
  is_waiting_ = true;
}

void Writer::end_wait() {
  if (stand_in_ == nullptr) return;
  {
    MutexLock lock(mutex_);
    is_waiting_ = is_stuck_ = false;
    called_.wait(lock, [this]() REQUIRES(mutex_) { return !is_standing_in_; });
    if (!std::exchange(has_stood_in_, false)) return;
    waiting_.clear();
    sorted_ = 0;
    batch_.insert(batch_.begin() + static_cast<std::ptrdiff_t>(next_),
                  std::move_iterator(reads_.begin()), std::move_iterator(reads_.end()));
    reads_.clear();
  }
  stand_in_->end();
}

bool Writer::look(TaskRunner& runner) {
  MutexLock lock(mutex_);
  if (is_waiting_ && !is_stuck_) {
    if (std::exchange(seen_wait_, waits_) != waits_) looks_ = 0;
    is_stuck_ = ++looks_ == kPatience;
    if (is_stuck_) ask_stand_in(runner);
  }
  return state_ != State::kIdle;
}

void Writer::ask_stand_in(TaskRunner& runner) {
  if (!std::exchange(is_asked_, true)) runner.post([this] { stand_in(); });
}

void Writer::stand_in() {
  MutexLock lock(mutex_);
  is_asked_ = false;
  if (!is_stuck_ || is_standing_in_) return;  // the one that stands in looks at the queue again
  is_standing_in_ = true;
  if (!std::exchange(has_stood_in_, true)) {
    for (const Job& job : std::span(batch_).first(next_))
      if (job.origin && !job.origin->only_reads) waiting_.insert(job.origin->session);
    lock.unlock();
    stand_in_->begin(waiting_);
    stand_in_->end_turn();
    lock.lock();
  }
  take_reads();
  for (int i = 0; i < kReadsATurn && is_stuck_ && !reads_.empty(); ++i) {
    Task read = std::move(reads_.front().task);
    reads_.pop_front();
    lock.unlock();
    std::exchange(read, Task())();
    lock.lock();
  }
  lock.unlock();
  stand_in_->end_turn();
  lock.lock();
  take_reads();
  if (is_stuck_ && !reads_.empty()) ask_stand_in(*reads_.front().runner);
  is_standing_in_ = false;
  called_.notify_all();
  lock.unlock();
  left_(true);
}

void Writer::take_reads() {
  const auto take_from = [this](std::span<Job> jobs) REQUIRES(mutex_) {
    for (Job& job : jobs) {
      if (!job.origin || !job.task) continue;
      const auto& [session, only_reads] = *job.origin;
      if (!only_reads) {
        waiting_.insert(session);
      } else if (!waiting_.contains(session)) {
        reads_.push_back(std::move(job));
      }
    }
  };
  take_from(std::span(batch_).subspan(next_));
  take_from(std::span(queue_).subspan(sorted_));
  std::erase_if(queue_, [](const Job& job) { return !job.task; });
  sorted_ = queue_.size();
}

}  // namespace tandem
