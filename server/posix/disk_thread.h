#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>

#include "server/posix/mutex.h"

namespace tandem {

/// Does what touches files that may lie on a disk that hangs, in a thread made for it. Who asks for
/// something waits a moment, so that it is usually done when they go on, and not at all while
/// something before it hangs. Any thread may ask; owned by whose files they are.
class DiskThread {
 public:
  DiskThread() = default;
  ~DiskThread();  ///< waits for the disk
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  /// From now on the thread does it; until then whoever asks. For the process that serves: a fork
  /// leaves threads behind.
  void start();
  /// Does the job, after those before it. False if it is not done yet. Whoever asks sees to it that
  /// not too many wait.
  bool run(std::function<void()> job);

 private:
  void serve();

  Mutex mutex_;
  ConditionVariable wake_;
  ConditionVariable done_one_;
  std::deque<std::function<void()>> jobs_ GUARDED_BY(mutex_);  ///< that wait
  std::uint64_t asked_ GUARDED_BY(mutex_) = 0;                 ///< so many were asked for,
  std::uint64_t done_ GUARDED_BY(mutex_) = 0;                  ///< and so many are done
  bool hangs_ GUARDED_BY(mutex_) = false;  ///< jobs are not awaited until all are done
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tandem
