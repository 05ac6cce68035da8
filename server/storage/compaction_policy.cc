#include "server/storage/compaction_policy.h"

namespace tandem::storage {

bool compaction_due(const LogGrowth& growth, std::chrono::seconds since_last) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t kMinCommits = 100;
  constexpr std::uint64_t kMinSize = 10 << 20;  // bytes
  // The manual's "not before 100 commits have been added or 10 minutes have elapsed" means both:
  // ovsdb-server 3.1 waits.
  if (growth.commits < kMinCommits || since_last < 10min) return false;
  if (since_last >= 24h) return true;
  return growth.size >= kMinSize && growth.size / 2 > growth.compacted_size;
}

}  // namespace tandem::storage
