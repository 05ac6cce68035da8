#include "server/session/remains.h"

#include <algorithm>

namespace tandem {

namespace {

/// So many rows are freed in one go.
constexpr std::size_t kRowsAtOnce = 1024;

}  // namespace

void free_in_turns(TaskRunner& shard, std::unique_ptr<Remains> remains) {
  if (remains == nullptr || !remains->free_some()) return;
  shard.post([&shard, remains = std::move(remains)]() mutable {
    free_in_turns(shard, std::move(remains));
  });
}

bool free_some(std::vector<ChunkRef>& chunks) {
  const std::size_t most = kRowsAtOnce / RowChunk::kRows;
  chunks.resize(chunks.size() - std::min(chunks.size(), most));
  return !chunks.empty();
}

bool free_some(std::vector<OperationResult>& results) {
  for (std::size_t freed = 0; !results.empty() && freed < kRowsAtOnce; ++freed) {
    auto* const found = std::get_if<RowsResult>(&results.back());
    if (found == nullptr || found->rows.empty()) {
      results.pop_back();
    } else {
      found->rows.pop_back();
    }
  }
  return !results.empty();
}

bool free_some(NetParts& parts) {
  for (std::size_t most = kRowsAtOnce; !parts.empty() && most > 0;) {
    std::shared_ptr<const NetChanges>& part = parts.back();
    if (part.use_count() == 1 && !std::const_pointer_cast<NetChanges>(part)->drop_some(most)) break;
    parts.pop_back();
    most -= std::min<std::size_t>(most, 1);
  }
  return !parts.empty();
}

std::unique_ptr<Remains> remains_of(const Snapshot& snapshot) {
  std::vector<ChunkRef> chunks;
  for (const TableSnapshot& table : snapshot.tables)
    chunks.insert(chunks.end(), table.chunks().begin(), table.chunks().end());
  return remains_of(std::move(chunks));
}

}  // namespace tandem
