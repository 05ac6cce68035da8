#include "protocol/clause_errors.h"

#include <fmt/core.h>

namespace tandem {

Error unknown_column(const TableSchema& table, std::string_view column, JsonView where) {
  return {"unknown column", fmt::format("No column {} in table {}.", column, table.name),
          to_text(where)};
}

Error not_applicable(const ColumnSchema& column, std::string_view function, JsonView where) {
  return syntax_error(
      where,
      fmt::format("Type mismatch: \"{}\" operator may not be applied to column {} of type {}.",
                  function, column.name, column.type.to_english()));
}

Error immutable_column(std::string_view verb, const TableSchema& table, const ColumnSchema& column,
                       JsonView where) {
  Error error = constraint_violation(
      fmt::format("Cannot {} immutable column {} in table {}.", verb, column.name, table.name));
  error.syntax = to_text(where);
  return error;
}

}  // namespace tandem
