#pragma once

#include <functional>
#include <vector>

#include "protocol/table_updates.h"

namespace tandem {

/// Calls its argument with each row of one table.
using RowSource =
    std::function<void(TableIndex table, const std::function<void(const RowRef&)>& row)>;

/// The changes that turn the rows held into the rows wanted, for the tables that `concerns`. Rows
/// that are equal leave no change. An error when what is wanted is not one new row after the other
/// (all kInsert, no row twice): no part of it may be taken for the whole. O(rows held + rows
/// wanted).
Result<std::vector<RowChange>> resync_difference(const DatabaseSchema& schema,
                                                 const std::vector<RowUpdate>& wanted,
                                                 const RowSource& held,
                                                 const std::function<bool(TableIndex)>& concerns);

}  // namespace tandem
