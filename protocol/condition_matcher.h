#pragma once

// Whether a row satisfies any of many clauses, in time that does not grow with their number. The
// clauses of a column are put together by what they compare: equal values stand in a hash table,
// elements that are included are found from the row's elements, ordered comparisons leave one bound
// each way. Two different values that a column must not equal are no condition at all: it cannot
// equal both. Rejected: trying clause by clause, as for operations (10,000 clauses over 100,000
// rows: 9 s); one hash table for all columns (a row's columns are few, and only those named cost).

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/condition.h"
#include "protocol/datum_cursor.h"
#include "protocol/value_hash.h"

namespace tandem {

/// One element of a set or a map, borrowed.
struct ElementView {
  AtomView key;
  AtomView value;  ///< of a set: false

  static ElementView of(const DatumCursor& at) {
    return {at.key(), at.piece().is_map() ? at.value() : AtomView(false)};
  }
  bool operator==(const ElementView&) const = default;
  friend std::size_t hash_value(const ElementView& element) {
    return hash_of_atom(element.key) * 31 + hash_of_atom(element.value);
  }
};

/// Clauses of which any may hold. Immutable; any thread.
class ConditionMatcher {
 public:
  /// A limit on one side of a column's only element.
  struct Bound {
    AtomView value;
    bool inclusive = false;
  };
  /// All clauses of one column. Views borrow from the clauses.
  struct Column {
    explicit Column(ColumnIndex index) : column(index) {}

    ColumnIndex column;
    bool always = false;  ///< some of them together are true of every row
    std::vector<const Clause*> equal;
    std::vector<const Clause*> includes;
    std::vector<const Clause*> excludes;
    const Clause* unequal = nullptr;
    std::optional<Bound> below;  ///< less than it matches
    std::optional<Bound> above;  ///< greater than it matches

    bool matches(const Row& row) const;

   private:
    friend class ConditionMatcher;
    void add(const Clause& clause);
    void finish();
    bool matches_included(const Row& row, const DatumView& have) const;
    bool matches_excluded(const Row& row, const DatumView& have) const;

    boost::unordered_flat_map<std::size_t, std::vector<const Clause*>> equal_by_hash_;
    /// Clauses by the rarest of the elements that they include.
    boost::unordered_flat_map<ElementView, std::vector<const Clause*>> includes_by_element_;
    /// How many clauses exclude an element.
    boost::unordered_flat_map<ElementView, std::size_t> exclusions_;
  };

  explicit ConditionMatcher(std::vector<Clause> clauses);
  ConditionMatcher(const ConditionMatcher&) = delete;
  ConditionMatcher& operator=(const ConditionMatcher&) = delete;

  const std::vector<Clause>& clauses() const { return clauses_; }
  /// By index.
  const std::vector<Column>& columns() const { return columns_; }
  /// Whether the clauses together are true of every row.
  bool is_always() const { return always_; }
  bool matches(const Row& row) const;

 private:
  const std::vector<Clause> clauses_;
  std::vector<Column> columns_;
  bool always_ = false;
};

}  // namespace tandem
