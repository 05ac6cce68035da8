#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "server/logging/time_histogram.h"

namespace tandem {

/// What has happened to one database since it is served, for metrics. Whoever holds a reference may
/// count and read, on any thread.
struct DatabaseFigures {
  /// From a request to the moment when its reply may go: its commit is in the log, acknowledged by
  /// as many backups as is wanted, and on the disk if the client asked for that. Without those that
  /// were in a "wait".
  TimeHistogram commits;
  /// From when a commit is in the log until a backup that was connected has acknowledged it.
  TimeHistogram deliveries;
  std::atomic<std::uint64_t> transactions = 0;  ///< answered, of clients
  std::atomic<std::uint64_t> failed = 0;        ///< those of them that were answered with an error
  std::atomic<std::uint64_t> promotions = 0;    ///< from backup to active
  std::atomic<std::uint64_t> compactions = 0;   ///< that have succeeded
  std::atomic<std::uint64_t> failed_compactions = 0;

  static void count(std::atomic<std::uint64_t>& number) {
    number.fetch_add(1, std::memory_order_relaxed);
  }
};
using DatabaseFiguresRef = std::shared_ptr<DatabaseFigures>;

}  // namespace tandem
