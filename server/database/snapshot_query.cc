#include "server/database/snapshot_query.h"

#include <algorithm>

namespace tandem {

bool SnapshotQuery::find_some(std::size_t& place, std::vector<RowRef>& rows,
                              std::size_t& budget) const {
  for (; place < table_->chunks().size(); ++place) {
    if (budget == 0) return false;
    for (const RowRef& row : table_->chunks()[place]->rows) {
      if (row && where_.matches(*row)) rows.push_back(row);
    }
    budget -= std::min(budget, RowChunk::kRows);
  }
  return true;
}

}  // namespace tandem
