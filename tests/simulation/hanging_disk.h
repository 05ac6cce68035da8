#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "server/base/task.h"
#include "tests/simulation/world.h"

namespace tandem::simulation {

/// A disk that may hang: calls of it that a process makes meanwhile return when it answers. It is
/// the writer and the thread that syncs who wait for it; nobody else does. One machine's, and of
/// one process at a time.
class HangingDisk {
 public:
  enum class Holds : std::uint8_t {
    kNothing,
    kSyncs,  ///< writes go into the kernel's memory
    kAll,
  };

  explicit HangingDisk(const World& world) : world_(world) {}

  /// Hangs from now on. Returns which time this is.
  std::uint64_t hang(Holds holds) {
    holds_ = holds;
    return ++times_;
  }
  /// It answers: what was called returns.
  void answer() {
    holds_ = Holds::kNothing;
    waiting_since_.reset();
    for (Task& call : std::exchange(calls_, {})) call();
  }
  bool hangs_since(std::uint64_t time) const { return hangs() && times_ == time; }
  bool hangs() const { return holds_ != Holds::kNothing; }
  bool holds_writes() const { return holds_ == Holds::kAll; }

  /// Requires that it hangs: runs that when it has answered.
  void wait(Task then) {
    if (!waiting_since_) waiting_since_ = world_.now_ms();
    calls_.push_back(std::move(then));
  }
  /// The process that called is gone.
  void forget() {
    calls_.clear();
    waiting_since_.reset();
  }
  /// For how long the oldest call has been under way.
  std::int64_t waiting_ms() const { return waiting_since_ ? world_.now_ms() - *waiting_since_ : 0; }

 private:
  const World& world_;
  Holds holds_ = Holds::kNothing;
  std::uint64_t times_ = 0;
  std::deque<Task> calls_;
  std::optional<std::int64_t> waiting_since_;
};

}  // namespace tandem::simulation
