#pragma once

#include <cstdint>

namespace tandem {

/// Time, handed in so that simulations own it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970, for records and people.
  virtual std::int64_t wall_ms() const = 0;
  /// Milliseconds since some start, never backwards, for time-outs. Goes on while the machine
  /// sleeps: a lease that is granted to a suspended host runs out there, too.
  virtual std::int64_t monotonic_ms() const = 0;
  /// The same in microseconds, for what work costs; a simulation's work costs nothing.
  virtual std::int64_t monotonic_us() const { return 1000 * monotonic_ms(); }
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const override;
  std::int64_t monotonic_ms() const override;
  std::int64_t monotonic_us() const override;
};

}  // namespace tandem
