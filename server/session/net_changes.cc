#include "server/session/net_changes.h"

#include <algorithm>
#include <utility>

namespace tandem {

void NetChanges::add(const RowChange& change) {
  // The same UUID may live in two tables.
  const auto [place, is_new] = rows_.try_emplace({change.table, change.uuid()}, change);
  if (is_new) return;
  place->second.after = change.after;
  // Came and went: nobody who missed both need know.
  if (!place->second.before && !place->second.after) rows_.erase(place);
}

std::vector<RowChange> NetChanges::take() {
  std::vector<RowChange> changes;
  changes.reserve(rows_.size());
  for (auto& [key, change] : rows_) changes.push_back(std::move(change));
  rows_.clear();
  std::stable_sort(changes.begin(), changes.end(),
                   [](const RowChange& a, const RowChange& b) { return a.table < b.table; });
  return changes;
}

}  // namespace tandem
