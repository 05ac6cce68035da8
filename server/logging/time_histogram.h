#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tandem {

/// Counts how long something took, in the fixed steps of a Prometheus histogram. Thread-safe; two
/// relaxed additions an event, whoever measures it has read the clock.
class TimeHistogram {
 public:
  /// Upper bounds of the steps, in microseconds: from what memory takes to what nobody waits for.
  static constexpr std::array<std::int64_t, 16> kBoundsUs = {
      50,     100,    250,     500,     1000,    2500,      5000,      10'000,
      25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

  struct Totals {
    /// Events by step, each without those below it; the last step has no bound.
    std::array<std::uint64_t, kBoundsUs.size() + 1> steps{};
    std::uint64_t sum_us = 0;
  };

  /// Counts as many events that took this time. One below zero counts as zero: clocks are read on
  /// several threads.
  void add(std::int64_t us, std::uint64_t events = 1) noexcept;
  Totals totals() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, kBoundsUs.size() + 1> steps_{};
  std::atomic<std::uint64_t> sum_us_ = 0;
};

}  // namespace tandem
