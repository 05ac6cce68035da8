#pragma once

// Errors that conditions, mutations and rows share.

#include <string_view>

#include "protocol/schema.h"

namespace tandem {

/// "unknown column": `where` is the JSON that names it.
Error unknown_column(const TableSchema& table, std::string_view column, JsonView where);

/// "syntax error": a function or mutator that the column's type does not have; `where` is the
/// clause.
Error not_applicable(const ColumnSchema& column, std::string_view function, JsonView where);

/// "constraint violation": `verb` is "update" or "mutate", `where` the operation or mutation.
Error immutable_column(std::string_view verb, const TableSchema& table, const ColumnSchema& column,
                       JsonView where);

}  // namespace tandem
