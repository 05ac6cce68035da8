#include "server/storage/compaction_policy.h"

namespace tandem::storage {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;  // bytes

/// It has grown so much that a start or a full disk is a greater burden than a compaction by day.
bool is_beyond_bounds(const LogGrowth& growth) {
  return growth.size >= 100 * kMegabyte && growth.size / 4 > growth.compacted_size;
}

}  // namespace

bool CompactionPolicy::is_due(const LogGrowth& growth, std::chrono::seconds since_last,
                              std::chrono::minutes time_of_day) const {
  using namespace std::chrono_literals;
  constexpr std::uint64_t kMinCommits = 100;
  if (growth.commits == 0) return false;
  if (window && !window->contains(time_of_day) && !is_beyond_bounds(growth)) return false;
  if (every && since_last >= *every) return true;
  // The manual's "not before 100 commits have been added or 10 minutes have elapsed" means both:
  // ovsdb-server 3.1 waits.
  if (growth.commits < kMinCommits || since_last < 10min) return false;
  if (!every && since_last >= 24h) return true;
  return growth.size >= 10 * kMegabyte && growth.size / 2 > growth.compacted_size;
}

}  // namespace tandem::storage
