#include "protocol/condition.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

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
Result<Datum> read_argument(const ColumnType& type, Function function, JsonView value,
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

const DatumView& view_of(const DatumView& view) { return view; }
DatumView view_of(const Datum& datum) { return datum.view(); }

Exclusions::Element element_of(const DatumView& datum, std::size_t i) {
  return {datum.key(i), datum.is_map() ? datum.value(i) : AtomView()};
}

bool includes(const DatumView& datum, const DatumView& argument) {
  if (argument.size() > datum.size()) return false;
  for (std::size_t i = 0; i < argument.size(); ++i) {
    if (!has_element(datum, argument, i)) return false;
  }
  return true;
}

bool excludes(const DatumView& datum, const DatumView& argument) {
  if (argument.size() > datum.size()) return excludes(argument, datum);
  for (std::size_t i = 0; i < argument.size(); ++i) {
    if (has_element(datum, argument, i)) return false;
  }
  return true;
}

}  // namespace

std::string_view to_string(Function function) {
  return kFunctionNames[static_cast<std::size_t>(function)];
}

Result<Clause> Clause::from_json(const TableSchema& table, JsonView value, SymbolTable* symbols) {
  if (!value.is_array() || value.size() != 3 || !value[0].is_string() || !value[1].is_string()) {
    return syntax_error(value, "Parse error in condition.");
  }
  const std::string_view column_name = value[0].get_string();
  const auto index = table.find_column(column_name);
  if (!index) return unknown_column(table, column_name, value);

  const std::string_view function_name = value[1].get_string();
  const auto function = function_from(function_name);
  if (!function)
    return Error{"unknown function", fmt::format("No function named {}.", function_name),
                 std::nullopt};

  const ColumnSchema& column = table.column(*index);
  if (is_relational(*function) && !can_be_ordered(column.type)) {
    return not_applicable(column, function_name, value);
  }
  auto argument = read_argument(column.type, *function, value[2], symbols);
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

Result<Condition> Condition::from_json(const TableSchema& table, JsonView value,
                                       SymbolTable* symbols) {
  Condition condition;
  for (const JsonView element : value.elements()) {
    if (element.is_bool()) {
      condition.never_ |= !element.get_bool();
      continue;
    }
    auto clause = Clause::from_json(table, element, symbols);
    if (!clause) return std::move(clause).error();
    condition.clauses_.push_back(std::move(*clause));
  }
  constexpr std::size_t kFew = 8;
  if (condition.clauses_.size() > kFew) condition.merge();
  return condition;
}

bool Condition::matches(const Row& row) const {
  const auto holds = [&](const auto& part) { return part.matches(row); };
  return !never_ && std::all_of(clauses_.begin(), clauses_.end(), holds) &&
         std::all_of(exclusions_.begin(), exclusions_.end(), holds);
}

bool Exclusions::matches(const Row& row) const {
  const DatumView have = row.view(column);
  const auto less = [](const auto& a, const auto& b) {
    return compare(view_of(a), view_of(b)) < 0;
  };
  if (std::binary_search(values.begin(), values.end(), have, less)) return false;
  for (std::size_t i = 0; i < have.size() && !elements.empty(); ++i) {
    if (std::binary_search(elements.begin(), elements.end(), element_of(have, i))) return false;
  }
  return true;
}

void Condition::merge() {
  std::vector<Clause> all = std::exchange(clauses_, {});
  const auto kind = [](const Clause& c) { return std::tie(c.column, c.function); };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Clause& a, const Clause& b) { return kind(a) < kind(b); });
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end = std::find_if(
        begin, all.end(), [&](const Clause& clause) { return kind(clause) != kind(*begin); });
    merge_group({begin, end});
    begin = end;
  }
  for (Exclusions& exclusions : exclusions_) {
    std::sort(exclusions.values.begin(), exclusions.values.end(),
              [](const Datum& a, const Datum& b) { return compare(a.view(), b.view()) < 0; });
    std::sort(exclusions.elements.begin(), exclusions.elements.end());
  }
}

Exclusions& Condition::exclusions_of(ColumnIndex column) {
  if (exclusions_.empty() || exclusions_.back().column != column)
    exclusions_.push_back({column, {}, {}, {}});
  return exclusions_.back();
}

void Condition::merge_group(Group group) {
  const Clause& first = group.front();
  const auto less = [](const Clause& a, const Clause& b) {
    return compare(a.argument.view(), b.argument.view()) < 0;
  };
  switch (first.function) {
    case Function::kEq:
      never_ |= !std::all_of(group.begin(), group.end(), [&](const Clause& clause) {
        return clause.argument == first.argument;
      });
      clauses_.push_back(first);
      break;
    case Function::kLt:
    case Function::kLe:
      clauses_.push_back(*std::min_element(group.begin(), group.end(), less));
      break;
    case Function::kGe:
    case Function::kGt:
      clauses_.push_back(*std::max_element(group.begin(), group.end(), less));
      break;
    case Function::kIncludes:
      merge_includes(group);
      break;
    case Function::kNe:
      for (const Clause& clause : group)
        exclusions_of(first.column).values.push_back(clause.argument);
      break;
    case Function::kExcludes:
      for (const Clause& clause : group) {
        Exclusions& exclusions = exclusions_of(first.column);
        const DatumView argument = clause.argument.view();
        for (std::size_t i = 0; i < argument.size(); ++i)
          exclusions.elements.push_back(element_of(argument, i));
        exclusions.owners.push_back(clause.argument);
      }
      break;
  }
}

void Condition::merge_includes(Group group) {
  const DatumView first = group.front().argument.view();
  DatumBuilder builder(first.key_type(),
                       first.is_map() ? std::optional(first.value_type()) : std::nullopt);
  for (const Clause& clause : group) {
    const DatumView argument = clause.argument.view();
    for (std::size_t i = 0; i < argument.size(); ++i) {
      if (argument.is_map()) {
        builder.add(argument.key(i), argument.value(i));
      } else {
        builder.add(argument.key(i));
      }
    }
  }
  Clause all{group.front().column, Function::kIncludes, builder.build_unique()};
  // A key cannot have two values.
  never_ |= !std::all_of(group.begin(), group.end(), [&](const Clause& clause) {
    return includes(all.argument.view(), clause.argument.view());
  });
  clauses_.push_back(std::move(all));
}

}  // namespace tandem
