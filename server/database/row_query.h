#pragma once

#include <vector>

#include "protocol/condition.h"
#include "server/database/drafts.h"

namespace tandem {

/// Rows as a transaction sees them. A row stays valid while nothing but this row is touched, and
/// until it is removed.
using FoundRows = std::vector<const Row*>;

/// The rows of a table that a "where" matches, the transaction's own changes included. A clause
/// `_uuid ==`, or clauses `==` for all columns of an index, lead straight to the row; otherwise all
/// rows are tried.
FoundRows find_rows(const Drafts& drafts, TableIndex table, const Condition& where);

/// Whether that tries all rows of the table.
bool tries_all(const Table& table, const Condition& where);

}  // namespace tandem
