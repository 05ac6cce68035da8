#pragma once

#include <vector>

#include "server/database/drafts.h"

namespace tandem {

// What RFC 7047 section 4.1.3 asks of a transaction at its commit, in ovsdb-server's order: the
// first rule that is broken names the error. Each step works on the drafts; its cost is in
// proportion to what the transaction changed and, for removed rows, to the rows that refer to them.

/// Every strong reference leads to a row, and no row is removed while others refer to it
/// ("referential integrity violation"). Then removes the rows of tables that are not roots to which
/// no strong reference leads any more.
Result<void> settle_strong_references(Drafts& drafts);

/// "maxRows" of each table ("constraint violation").
Result<void> check_row_counts(const Drafts& drafts);

/// Takes out weak references to rows that are not there; a column that gets too small is a
/// "constraint violation".
Result<void> clean_weak_references(Drafts& drafts);

/// No two rows have the same values in the columns of an index ("constraint violation").
Result<void> check_indexes(const Drafts& drafts);

/// All of the above; returns what the transaction changes in the end, rows that changed with a new
/// _version, in order of tables. Rows that are as before are left out.
Result<std::vector<RowChange>> finish_drafts(Drafts& drafts);

}  // namespace tandem
