#pragma once

// A mutex of which clang knows what it guards: -Wthread-safety refuses a use of what is GUARDED_BY
// it where it is not held (clang's Thread Safety Analysis). Other compilers see std::mutex.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#if defined(__clang__)
#define TANDEM_THREAD(attribute) __attribute__((attribute))
#else
#define TANDEM_THREAD(attribute)
#endif
/// Of a member: it is read and written under the mutex only.
#define GUARDED_BY(mutex) TANDEM_THREAD(guarded_by(mutex))
/// Of a function: who calls it holds the mutex.
#define REQUIRES(mutex) TANDEM_THREAD(requires_capability(mutex))

namespace tandem {

class TANDEM_THREAD(capability("mutex")) Mutex {
 private:
  friend class MutexLock;
  std::mutex mutex_;
};

/// Holds a mutex to the end of a scope, and may let go of it meanwhile.
class TANDEM_THREAD(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TANDEM_THREAD(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
  ~MutexLock() TANDEM_THREAD(release_capability()) {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() TANDEM_THREAD(release_capability()) { lock_.unlock(); }
  void lock() TANDEM_THREAD(acquire_capability()) { lock_.lock(); }

 private:
  friend class ConditionVariable;
  std::unique_lock<std::mutex> lock_;
};

/// Threads wait for it, each with a lock that is let go of meanwhile. What they wait for `holds()`
/// under the lock.
class ConditionVariable {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

  void wait(MutexLock& lock) { condition_.wait(lock.lock_); }
  template <class Holds>
  void wait(MutexLock& lock, Holds&& holds) {
    condition_.wait(lock.lock_, std::forward<Holds>(holds));
  }
  /// False: it does not hold, and the time is over.
  template <class Holds>
  bool wait_for(MutexLock& lock, std::chrono::milliseconds time, Holds&& holds) {
    return condition_.wait_for(lock.lock_, time, std::forward<Holds>(holds));
  }

 private:
  std::condition_variable condition_;
};

}  // namespace tandem
