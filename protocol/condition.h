#pragma once

#include <cstdint>
#include <span>
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

  static Result<Clause> from_json(const TableSchema& table, JsonView value, SymbolTable* symbols);
  bool matches(const Row& row) const;
  bool operator==(const Clause&) const = default;
};

/// The values that many clauses exclude from one column, found by halving.
struct Exclusions {
  /// An element of a set, or a pair of a map.
  struct Element {
    AtomView key;
    AtomView value;
    friend bool operator<(const Element& a, const Element& b) {
      const auto order = compare(a.key, b.key);
      return order != 0 ? order < 0 : compare(a.value, b.value) < 0;
    }
  };
  ColumnIndex column = 0;
  std::vector<Datum> values;      ///< of "!=", sorted
  std::vector<Element> elements;  ///< of "excludes", sorted
  std::vector<Datum> owners;      ///< what the elements borrow from

  bool matches(const Row& row) const;
};

/// A "where" of RFC 7047 section 5.2: all clauses must hold; none: every row. Booleans may stand
/// for clauses (ovsdb-server(7)). Many clauses are merged as they are read, so that a row costs no
/// more than its columns' values, however many clauses a client sends.
class Condition {
 public:
  /// Requires a JSON array.
  static Result<Condition> from_json(const TableSchema& table, JsonView value,
                                     SymbolTable* symbols);

  /// All that demand equality are among them.
  const std::vector<Clause>& clauses() const { return clauses_; }
  /// A clause `false` stands in it, or clauses that exclude each other.
  bool is_never() const { return never_; }
  bool matches(const Row& row) const;

 private:
  using Group = std::span<const Clause>;
  void merge();
  /// Clauses of one column and function become one, or exclusions.
  void merge_group(Group group);
  void merge_includes(Group group);
  Exclusions& exclusions_of(ColumnIndex column);

  std::vector<Clause> clauses_;
  std::vector<Exclusions> exclusions_;
  bool never_ = false;
};

}  // namespace tandem
