#pragma once

#include <cstdint>
#include <optional>

#include "replication/height.h"

namespace tandem {

/// The permission to be the active server, granted by a cluster manager for a while and renewed by
/// it. An active server whose lease has run out may no longer write: somebody else may have the
/// role by now. Unarmed until it is first renewed. A value; times are monotonic milliseconds.
class Lease {
 public:
  enum class State : std::uint8_t {
    kUnarmed,  ///< nobody grants leases: the role alone decides
    kHeld,     ///< granted, and time is left
    kExpired,  ///< armed, and not renewed in time
  };

  void renew(std::int64_t length_ms, std::int64_t now_ms) {
    length_ms_ = length_ms;
    deadline_ms_ = now_ms + length_ms;
  }
  /// A promotion grants an armed lease anew: whoever promotes is the manager.
  void restart(std::int64_t now_ms) {
    if (deadline_ms_) renew(length_ms_, now_ms);
  }
  void disarm() { deadline_ms_.reset(); }

  /// Ends it before its time, because another server is being made active. Whoever grants leases
  /// may not know yet: no lease counts any more in this epoch. A promotion opens another one.
  void depose(Epoch epoch, std::int64_t now_ms) {
    deadline_ms_ = now_ms;
    deposed_ = epoch;
  }
  /// Was it ended so in this epoch?
  bool is_deposed(Epoch epoch) const { return deposed_ == epoch; }

  State state(std::int64_t now_ms) const {
    if (!deadline_ms_) return State::kUnarmed;
    return now_ms < *deadline_ms_ ? State::kHeld : State::kExpired;
  }
  std::int64_t length_ms() const { return length_ms_; }
  /// Nothing while unarmed.
  std::optional<std::int64_t> deadline_ms() const { return deadline_ms_; }
  /// The last epoch in which it was ended before its time.
  std::optional<Epoch> deposed() const { return deposed_; }
  /// Takes over the lease of a server that crashed.
  void resume(std::int64_t length_ms, std::optional<std::int64_t> deadline_ms,
              std::optional<Epoch> deposed) {
    length_ms_ = length_ms;
    deadline_ms_ = deadline_ms;
    deposed_ = deposed;
  }

 private:
  std::int64_t length_ms_ = 0;
  std::optional<std::int64_t> deadline_ms_;
  std::optional<Epoch> deposed_;
};

}  // namespace tandem
