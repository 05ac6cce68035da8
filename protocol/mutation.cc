#include "protocol/mutation.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "protocol/clause_errors.h"
#include "protocol/datum_cursor.h"

namespace tandem {

namespace {

constexpr std::array<std::string_view, 7> kMutatorNames = {
    "+=", "-=", "*=", "/=", "%=", "insert", "delete"};

std::string_view to_string(Mutator mutator) {
  return kMutatorNames[static_cast<std::size_t>(mutator)];
}

std::optional<Mutator> mutator_from(std::string_view name) {
  const auto* at = std::find(kMutatorNames.begin(), kMutatorNames.end(), name);
  if (at == kMutatorNames.end()) return std::nullopt;
  return static_cast<Mutator>(at - kMutatorNames.begin());
}

bool is_applicable(Mutator mutator, const ColumnType& type) {
  switch (mutator) {
    case Mutator::kInsert:
    case Mutator::kDelete:
      return !type.is_scalar();
    case Mutator::kModulo:
      return !type.is_map() && type.key.type == AtomicType::kInteger;
    case Mutator::kAdd:
    case Mutator::kSubtract:
    case Mutator::kMultiply:
    case Mutator::kDivide:
      return !type.is_map() &&
             (type.key.type == AtomicType::kInteger || type.key.type == AtomicType::kReal);
  }
  return false;
}

/// Reads what may be deleted: any number of elements; of a map also just keys.
Result<Datum> read_deletion(const ColumnType& type, JsonView value, SymbolTable* symbols) {
  auto pairs = type.datum_from_json(value, symbols, ColumnType::Sizes::kAny);
  if (pairs || !type.is_map()) return pairs;
  ColumnType keys;
  keys.key = type.key;
  keys.n_min = 0;
  keys.n_max = ColumnType::kUnlimited;
  return keys.datum_from_json(value, symbols);
}

Result<Datum> read_argument(const ColumnType& type, Mutator mutator, JsonView value,
                            SymbolTable* symbols) {
  switch (mutator) {
    case Mutator::kDelete:
      return read_deletion(type, value, symbols);
    case Mutator::kInsert: {
      if (type.n_min == 0) return type.datum_from_json(value, symbols);
      ColumnType argument_type = type;
      argument_type.n_min = 0;
      return argument_type.datum_from_json(value, symbols);
    }
    case Mutator::kAdd:
    case Mutator::kSubtract:
    case Mutator::kMultiply:
    case Mutator::kDivide:
    case Mutator::kModulo: {
      ColumnType number;  // the result has to keep the column's constraints, the argument has not
      number.key.type = type.key.type;
      return number.datum_from_json(value, symbols);
    }
  }
  return Datum();
}

Error division_by_zero() { return {"domain error", "Division by zero.", std::nullopt}; }

Error out_of_range(Mutator mutator) {
  return {"range error",
          fmt::format("Result of \"{}\" operation is out of range.", to_string(mutator)),
          std::nullopt};
}

/// Requires an arithmetic mutator.
Result<AtomView> compute(Mutator mutator, std::int64_t a, std::int64_t b) {
  const bool divides = mutator == Mutator::kDivide || mutator == Mutator::kModulo;
  if (divides && b == 0) return division_by_zero();
  using Limits = std::numeric_limits<std::int64_t>;
  if (divides && b == -1 && a == Limits::min()) return out_of_range(mutator);
  if (divides) return AtomView(mutator == Mutator::kDivide ? a / b : a % b);
  // As ovsdb-server, which refuses the largest products that fit as well.
  if (mutator == Mutator::kMultiply && a > 0 && b > 0 && a >= Limits::max() / b)
    return out_of_range(mutator);
  std::int64_t result = 0;
  const bool overflow = mutator == Mutator::kAdd        ? __builtin_add_overflow(a, b, &result)
                        : mutator == Mutator::kSubtract ? __builtin_sub_overflow(a, b, &result)
                                                        : __builtin_mul_overflow(a, b, &result);
  if (overflow) return out_of_range(mutator);
  return AtomView(result);
}

/// Requires an arithmetic mutator other than modulo.
Result<AtomView> compute(Mutator mutator, double a, double b) {
  if (mutator == Mutator::kDivide && b == 0) return division_by_zero();
  const double result = mutator == Mutator::kAdd        ? a + b
                        : mutator == Mutator::kSubtract ? a - b
                        : mutator == Mutator::kMultiply ? a * b
                                                        : a / b;
  if (!std::isfinite(result)) return out_of_range(mutator);
  // Neither ovsdb-server's clients nor ovsdb-server itself could read a subnormal one. What is too
  // small counts as zero when it is read, too.
  if (std::fpclassify(result) == FP_SUBNORMAL) return AtomView(0.0);
  return AtomView(result);
}

Result<AtomView> compute(Mutator mutator, const AtomView& a, const AtomView& b) {
  if (type_of(a) == AtomicType::kInteger)
    return compute(mutator, std::get<std::int64_t>(a), std::get<std::int64_t>(b));
  return compute(mutator, std::get<double>(a), std::get<double>(b));
}

Result<Datum> apply_arithmetic(Mutator mutator, const BaseType& type, const DatumView& before,
                               const AtomView& argument) {
  // All elements are computed before any is judged: that decides which error is the first.
  std::vector<AtomView> atoms;
  atoms.reserve(before.size());
  for (DatumCursor at(before); !at.done(); at.advance()) {
    const auto atom = compute(mutator, at.key(), argument);
    if (!atom) return atom.error();
    atoms.push_back(*atom);
  }
  DatumBuilder builder(type.type);
  for (const AtomView& atom : atoms) {
    if (auto checked = type.check(atom); !checked) return std::move(checked).error();
    builder.add(atom);
  }
  if (auto after = builder.build()) return std::move(*after);
  return constraint_violation(
      fmt::format("Result of \"{}\" operation contains duplicates.", to_string(mutator)));
}

/// Whether a large datum has each of the keys, or has none of them. Such a datum is a list that is
/// copied to be changed, so it pays to know when nothing changes.
bool large_has(bool each, const DatumView& datum, const DatumView& keys) {
  if (!datum.is_list()) return false;
  for (DatumCursor at(keys); !at.done(); at.advance()) {
    if (datum.find(at.key()).has_value() != each) return false;
  }
  return true;
}

Result<Datum> with_size_checked(const ColumnType& type, Datum after) {
  const std::size_t n = after.size();
  if (n >= type.n_min && n <= type.n_max) return after;
  return constraint_violation(
      fmt::format("Attempted to store {} elements in {}.", n, type.to_english()));
}

}  // namespace

Result<Mutation> Mutation::from_json(const TableSchema& table, JsonView value,
                                     SymbolTable* symbols) {
  if (!value.is_array() || value.size() != 3 || !value[0].is_string() || !value[1].is_string()) {
    return syntax_error(value, "Parse error in mutation.");
  }
  const std::string_view column_name = value[0].get_string();
  const auto index = table.find_column(column_name);
  if (!index) return unknown_column(table, column_name, value);
  const ColumnSchema& column = table.column(*index);
  if (!column.is_mutable) return immutable_column("mutate", table, column, value);

  const std::string_view mutator_name = value[1].get_string();
  const auto mutator = mutator_from(mutator_name);
  if (!mutator)
    return Error{"unknown mutator", fmt::format("No mutator named {}.", mutator_name),
                 std::nullopt};
  if (!is_applicable(*mutator, column.type)) return not_applicable(column, mutator_name, value);

  auto argument = read_argument(column.type, *mutator, value[2], symbols);
  if (!argument) return std::move(argument).error();
  return Mutation{*index, *mutator, std::move(*argument)};
}

Result<Datum> Mutation::apply(const ColumnSchema& column, const Datum& before) const {
  switch (mutator) {
    case Mutator::kInsert:
      if (!Datum::fit_together(before, argument)) return datum_too_large();
      if (large_has(true, before.view(), argument.view()))
        return with_size_checked(column.type, before);
      return with_size_checked(column.type, set_union(before.view(), argument.view()));
    case Mutator::kDelete:
      if (large_has(false, before.view(), argument.view()))
        return with_size_checked(column.type, before);
      return with_size_checked(column.type, set_difference(before.view(), argument.view()));
    case Mutator::kAdd:
    case Mutator::kSubtract:
    case Mutator::kMultiply:
    case Mutator::kDivide:
    case Mutator::kModulo:
      return apply_arithmetic(mutator, column.type.key, before.view(), argument.view().key(0));
  }
  return before;
}

Result<std::vector<Mutation>> mutations_from_json(const TableSchema& table, JsonView value,
                                                  SymbolTable* symbols) {
  std::vector<Mutation> mutations;
  for (const JsonView element : value.elements()) {
    auto mutation = Mutation::from_json(table, element, symbols);
    if (!mutation) return std::move(mutation).error();
    mutations.push_back(std::move(*mutation));
  }
  return mutations;
}

}  // namespace tandem
