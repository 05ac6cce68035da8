#pragma once

#include <cstdint>
#include <functional>

namespace tandem::net {

/// How long to wait before each attempt to connect: none before the first, then 1, 2, 4, 8 s up to
/// a maximum (ovsdb-server(5), "max_backoff"). A connection that held longer than the wait before
/// it starts the row anew, so its loss is answered at once, while a peer that accepts and drops is
/// not hammered. Sans-IO.
class Backoff {
 public:
  struct Options {
    std::int64_t first_ms = 1000;
    std::int64_t max_ms = 8000;  ///< at least first_ms
    double jitter = 0;           ///< 0 to 1: each wait is cut by up to this part, at random
  };
  /// Hands out numbers in [0, 1). Only asked if jitter is not 0.
  using Random = std::function<double()>;

  Backoff() = default;
  explicit Backoff(Options options, Random random = {});

  /// The wait before the attempt that comes next, and a step up for the one after.
  std::int64_t next_wait_ms();
  /// Call when a connection ends that had been up for this long.
  void connection_ended(std::int64_t lived_ms);
  /// The next wait is 0.
  void reset() { wait_ms_ = 0; }
  /// True if the next wait is 0.
  bool is_reset() const { return wait_ms_ == 0; }
  /// True once waits have reached their maximum: time to stop logging each attempt.
  bool at_maximum() const { return wait_ms_ >= options_.max_ms; }
  void set_max_ms(std::int64_t max_ms);

 private:
  Options options_;
  Random random_;
  std::int64_t wait_ms_ = 0;  ///< before jitter, of the coming attempt
  std::int64_t last_ms_ = 0;  ///< of the attempt before
};

}  // namespace tandem::net
