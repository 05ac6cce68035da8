#pragma once

#include <set>
#include <utility>

#include "server/database/snapshot.h"
#include "server/session/value_key.h"

namespace tandem {

/// Finds the rows of one table by a value in one column, so that a change of conditions costs what
/// it shows and hides rather than what the table holds. Made from a snapshot and kept up with the
/// commits after it. Borrows the rows: a row version lives in its snapshot, and then in the commits
/// that are still to be taken. One thread.
class RowLookup {
 public:
  RowLookup(ColumnIndex column, const TableSnapshot& rows);

  ColumnIndex column() const { return column_; }
  /// Takes a commit's change of one row; null where there is no version.
  void change(const Row* before, const Row* after);

  /// Calls f(row) for each row that may have the value, perhaps more than once.
  template <class F>  // void(const Row&)
  void for_each(std::size_t value_hash, F&& f) const {
    for (auto at = rows_.lower_bound({value_hash, nullptr});
         at != rows_.end() && at->first == value_hash; ++at)
      f(*at->second);
  }

 private:
  const ColumnIndex column_;
  std::set<std::pair<std::size_t, const Row*>> rows_;
};

}  // namespace tandem
