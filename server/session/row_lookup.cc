#include "server/session/row_lookup.h"

#include <algorithm>
#include <vector>

namespace tandem {

RowLookup::RowLookup(ColumnIndex column, const TableSnapshot& rows) : column_(column) {
  // Sorted first: a tree that grows at its end is built in linear time.
  std::vector<std::pair<std::size_t, const Row*>> entries;
  entries.reserve(rows.size());
  rows.for_each([&](const Row& row) {
    for_each_value_hash(row, column, [&](std::size_t hash) { entries.emplace_back(hash, &row); });
  });
  std::sort(entries.begin(), entries.end());
  rows_ = {entries.begin(), entries.end()};
}

void RowLookup::change(const Row* before, const Row* after) {
  if (before != nullptr) {
    for_each_value_hash(*before, column_, [&](std::size_t hash) { rows_.erase({hash, before}); });
  }
  if (after != nullptr) {
    for_each_value_hash(*after, column_, [&](std::size_t hash) { rows_.emplace(hash, after); });
  }
}

}  // namespace tandem
