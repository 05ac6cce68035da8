#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

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
  std::mutex mutex_;
  std::condition_variable wake_;
  bool called_off_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace tandem
