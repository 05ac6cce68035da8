#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "server/posix/mutex.h"

namespace tandem {

/// Ends the process when its orderly end takes too long, since a thread is blocked in a disk that
/// hangs, say. Owned by the serving process; destroying it calls it off.
class LastResort {
 public:
  LastResort() = default;
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

  /// Runs `leave`, which must end the process, unless this object is gone by then. Once.
  void arm(std::chrono::milliseconds delay, std::function<void()> leave);

 private:
  Mutex mutex_;
  ConditionVariable wake_;
  bool called_off_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tandem
