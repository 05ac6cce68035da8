#include "server/writer/sync_thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/posix/signal_stack.h"

namespace tandem {
namespace {

/// A flush that serves so many requests shows that several clients ask at the same time.
constexpr std::size_t kCrowd = 4;
/// All pauses together are no longer than the flush of a slow disk, which takes 0.1 to 10 ms.
constexpr std::chrono::microseconds kPause{20};  // 75 with the kernel's slack
constexpr int kPauses = 4;

}  // namespace

SyncThread::SyncThread() : thread_([this] { run(); }) {}

SyncThread::~SyncThread() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SyncThread::sync(std::shared_ptr<storage::LogFile> log, Done done) {
  {
    MutexLock lock(mutex_);
    requests_.push_back({std::move(log), std::move(done)});
  }
  wake_.notify_one();
}

// Clients that one flush has served ask again at nearly the same time. So while requests keep
// coming, the next flush waits for as many. It sleeps, since the condition would wake it up for
// each of them.
void SyncThread::gather(std::size_t served) const {
  if (served < kCrowd) return;
  std::size_t before = 0;
  for (int i = 0; i < kPauses; ++i) {
    const std::size_t now = waiting();
    if (now <= before || now >= served) return;
    before = now;
    std::this_thread::sleep_for(kPause);
  }
}

std::size_t SyncThread::waiting() const {
  const MutexLock lock(mutex_);
  return requests_.size();
}

void SyncThread::run() {
  const SignalStack signal_stack;
  std::vector<Request> batch;
  std::size_t served = 1;  // by one of the last flushes, at most
  for (;;) {
    {
      MutexLock lock(mutex_);
      wake_.wait(lock, [this]() REQUIRES(mutex_) { return stop_ || !requests_.empty(); });
      if (requests_.empty()) return;
    }
    gather(served);
    {
      const MutexLock lock(mutex_);
      batch.swap(requests_);
    }
    served = std::max(batch.size(), served - served / 4);
    // Requests for one log stand together or not; each log is synced once.
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!batch[i].done) continue;
      const Result<void> synced = batch[i].log->sync();
      for (std::size_t j = i; j < batch.size(); ++j) {
        if (batch[j].log != batch[i].log || !batch[j].done) continue;
        batch[j].done(synced);
        batch[j].done = nullptr;
      }
    }
    batch.clear();  // a log that nobody else holds is closed, and its lock free
  }
}

}  // namespace tandem
