#pragma once

#include <cstdint>
#include <vector>

#include "protocol/row.h"

namespace tandem {

/// RFC 7047 section 5.1 <mutator>.
enum class Mutator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kInsert,
  kDelete
};

/// RFC 7047 section 5.1 <mutation>: [column, mutator, value].
struct Mutation {
  ColumnIndex column = 0;
  Mutator mutator = Mutator::kAdd;
  Datum argument;

  static Result<Mutation> from_json(const TableSchema& table, JsonView value, SymbolTable* symbols);

  /// The column's new value; errors "domain error", "range error", "constraint violation" of RFC
  /// 7047 section 5.2.4.
  Result<Datum> apply(const ColumnSchema& column, const Datum& before) const;
};

/// A list of mutations in order. Requires a JSON array.
Result<std::vector<Mutation>> mutations_from_json(const TableSchema& table, JsonView value,
                                                  SymbolTable* symbols);

}  // namespace tandem
