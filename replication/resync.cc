#include "replication/resync.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

namespace tandem {
namespace {

bool same_contents(const TableSchema& table, const Row& a, const Row& b) {
  for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); ++i) {
    if (!(a.datum(i) == b.datum(i))) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<RowChange>> resync_difference(const DatabaseSchema& schema,
                                                 const std::vector<RowUpdate>& wanted,
                                                 const RowSource& held,
                                                 const std::function<bool(TableIndex)>& concerns) {
  std::vector<boost::unordered_flat_map<Uuid, RowRef>> missing(schema.tables().size());
  for (const RowUpdate& update : wanted) {
    const Result<RowRef> row = updated_row(schema, update, RowRef());
    if (!row) return row.error();
    if (!missing[update.table].emplace(update.uuid, row.value()).second) {
      return Error{"consistency violation",
                   "row " + update.uuid.to_string() + " of table " +
                       schema.table(update.table).name + " came twice",
                   std::nullopt};
    }
  }
  std::vector<RowChange> changes;
  for (TableIndex table = 0; table < schema.tables().size(); ++table) {
    if (!concerns(table)) continue;
    held(table, [&](const RowRef& row) {
      const auto found = missing[table].find(row->uuid());
      if (found == missing[table].end()) {
        changes.push_back({table, row, RowRef()});
        return;
      }
      if (!same_contents(schema.table(table), *row, *found->second))
        changes.push_back({table, row, found->second});
      missing[table].erase(found);
    });
    for (auto& [uuid, row] : missing[table]) changes.push_back({table, RowRef(), std::move(row)});
  }
  return changes;
}

}  // namespace tandem
