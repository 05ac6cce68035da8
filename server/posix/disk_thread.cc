#include "server/posix/disk_thread.h"

#include <chrono>
#include <utility>

#include "server/posix/signal_stack.h"

namespace tandem {

namespace {

/// A job is awaited for so long.
constexpr std::chrono::milliseconds kPatience{50};

}  // namespace

DiskThread::~DiskThread() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void DiskThread::start() {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
}

bool DiskThread::run(std::function<void()> job) {
  MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    lock.unlock();
    job();
    return true;
  }
  jobs_.push_back(std::move(job));
  const std::uint64_t number = ++asked_;
  wake_.notify_one();
  if (hangs_) return false;
  const bool done =
      done_one_.wait_for(lock, kPatience, [&]() REQUIRES(mutex_) { return done_ >= number; });
  hangs_ = done_ != asked_ && !done;
  return done;
}

void DiskThread::serve() {
  const SignalStack signal_stack;
  MutexLock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this]() REQUIRES(mutex_) { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }  // what it holds may be a file, whose closing waits for the disk, too
    lock.lock();
    if (++done_ == asked_) hangs_ = false;
    done_one_.notify_all();
  }
}

}  // namespace tandem
