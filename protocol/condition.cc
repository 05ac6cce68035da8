#include "protocol/condition.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <optional>
#include <string_view>

#include "protocol/clause_errors.h"

namespace tandem {

namespace {

constexpr std::array<std::string_view, 8> kFunctionNames = {
    "<", "<=", "==", "!=", ">=", ">", "includes", "excludes"};

std::optional<Function> function_from(std::string_view name) {
  const auto* at = std::find(kFunctionNames.begin(), kFunctionNames.end(), name);
  if (at == kFunctionNames.end()) return std::nullopt;
  return static_cast<Function>(at - kFunctionNames.begin());
}

bool is_relational(Function function) {
  switch (function) {
    case Function::kLt:
    case Function::kLe:
    case Function::kGe:
    case Function::kGt:
      return true;
    case Function::kEq:
    case Function::kNe:
    case Function::kIncludes:
    case Function::kExcludes:
      return false;
  }
  return false;
}

bool can_be_ordered(const ColumnType& type) {
  return !type.is_map() && type.n_max == 1 &&
         (type.key.type == AtomicType::kInteger || type.key.type == AtomicType::kReal);
}

/// Reads the argument of a clause. Its number of elements is the column's, but for: one of an
/// ordered function; none at least of "includes"; any number of "excludes".
Result<Datum> read_argument(const ColumnType& type, Function function, const json::value& value,
                            SymbolTable* symbols) {
  if (type.is_scalar()) return type.datum_from_json(value, symbols);
  if (function == Function::kExcludes)
    return type.datum_from_json(value, symbols, ColumnType::Sizes::kAny);
  const std::uint32_t n_min = is_relational(function)           ? 1
                              : function == Function::kIncludes ? 0
                                                                : type.n_min;
  if (n_min == type.n_min) return type.datum_from_json(value, symbols);
  ColumnType argument_type = type;
  argument_type.n_min = n_min;
  return argument_type.datum_from_json(value, symbols);
}

bool has_element(const DatumView& datum, const DatumView& other, std::size_t i) {
  const auto at = datum.find(other.key(i));
  return at && (!datum.is_map() || datum.value(*at) == other.value(i));
}

bool includes(const DatumView& datum, const DatumView& argument) {
  if (argument.size() > datum.size()) return false;
  for (std::size_t i = 0; i < argument.size(); ++i) {
    if (!has_element(datum, argument, i)) return false;
  }
  return true;
}

bool excludes(const DatumView& datum, const DatumView& argument) {
  for (std::size_t i = 0; i < argument.size(); ++i) {
    if (has_element(datum, argument, i)) return false;
  }
  return true;
}

}  // namespace

std::string_view to_string(Function function) {
  return kFunctionNames[static_cast<std::size_t>(function)];
}

Result<Clause> Clause::from_json(const TableSchema& table, const json::value& value,
                                 SymbolTable* symbols) {
  const json::array* array = value.if_array();
  if (!array || array->size() != 3 || !(*array)[0].is_string() || !(*array)[1].is_string()) {
    return syntax_error(&value, "Parse error in condition.");
  }
  const std::string_view column_name = (*array)[0].get_string();
  const auto index = table.find_column(column_name);
  if (!index) return unknown_column(table, column_name, value);

  const std::string_view function_name = (*array)[1].get_string();
  const auto function = function_from(function_name);
  if (!function)
    return Error{"unknown function", fmt::format("No function named {}.", function_name),
                 std::nullopt};

  const ColumnSchema& column = table.column(*index);
  if (is_relational(*function) && !can_be_ordered(column.type)) {
    return not_applicable(column, function_name, value);
  }
  auto argument = read_argument(column.type, *function, (*array)[2], symbols);
  if (!argument) return std::move(argument).error();
  return Clause{*index, *function, std::move(*argument)};
}

bool Clause::matches(const Row& row) const {
  const DatumView have = row.view(column);
  const DatumView want = argument.view();
  switch (function) {
    case Function::kEq:
      return have == want;
    case Function::kNe:
      return !(have == want);
    case Function::kIncludes:
      return includes(have, want);
    case Function::kExcludes:
      return excludes(have, want);
    case Function::kLt:
      return !have.empty() && compare(have.key(0), want.key(0)) < 0;
    case Function::kLe:
      return !have.empty() && compare(have.key(0), want.key(0)) <= 0;
    case Function::kGe:
      return !have.empty() && compare(have.key(0), want.key(0)) >= 0;
    case Function::kGt:
      return !have.empty() && compare(have.key(0), want.key(0)) > 0;
  }
  return false;
}

Result<Condition> Condition::from_json(const TableSchema& table, const json::value& value,
                                       SymbolTable* symbols) {
  Condition condition;
  for (const json::value& element : value.get_array()) {
    if (const bool* truth = element.if_bool()) {
      condition.never_ |= !*truth;
      continue;
    }
    auto clause = Clause::from_json(table, element, symbols);
    if (!clause) return std::move(clause).error();
    condition.clauses_.push_back(std::move(*clause));
  }
  return condition;
}

bool Condition::matches(const Row& row) const {
  return !never_ && std::all_of(clauses_.begin(), clauses_.end(),
                                [&](const Clause& c) { return c.matches(row); });
}

}  // namespace tandem
