#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/row.h"

namespace tandem {

/// RFC 7047 section 5.1 <function>.
enum class Function : std::uint8_t { kLt, kLe, kEq, kNe, kGe, kGt, kIncludes, kExcludes };

/// As the protocol writes it: "<=", "includes".
std::string_view to_string(Function function);

/// RFC 7047 section 5.1 <condition>: [column, function, value]. Reads the extensions of
/// ovsdb-server(7): relational functions on optional integers and reals.
struct Clause {
  ColumnIndex column = 0;
  Function function = Function::kEq;
  Datum argument;

  static Result<Clause> from_json(const TableSchema& table, const json::value& value,
                                  SymbolTable* symbols);
  bool matches(const Row& row) const;
  bool operator==(const Clause&) const = default;
};

/// A "where" of RFC 7047 section 5.2: all clauses must hold; none: every row. Booleans may stand
/// for clauses (ovsdb-server(7)).
class Condition {
 public:
  /// Requires a JSON array.
  static Result<Condition> from_json(const TableSchema& table, const json::value& value,
                                     SymbolTable* symbols);

  const std::vector<Clause>& clauses() const { return clauses_; }
  /// A clause `false` stands in it.
  bool is_never() const { return never_; }
  bool matches(const Row& row) const;

 private:
  std::vector<Clause> clauses_;
  bool never_ = false;
};

}  // namespace tandem
