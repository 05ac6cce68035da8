#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/row.h"
#include "protocol/stepwise_sort.h"

namespace tandem {

/// Several commits' changes merged, row by row, into one change from the oldest version to the
/// newest. Costs memory in proportion to the rows touched, however often.
class NetChanges {
 public:
  using Rows = boost::unordered_flat_map<Uuid, RowChange>;

  /// A change after all that are merged so far.
  void add(const RowChange& change);
  /// A change before all that are merged so far.
  void add_before(const RowChange& change);

  /// Moves rows into changes that came before these, or after them; `most` goes down by their
  /// number. True when none is left; else the rest moves later, and each row is whole meanwhile in
  /// one or in both.
  bool move_some_before(NetChanges& earlier, std::size_t& most);
  bool move_some_after(NetChanges& later, std::size_t& most);
  /// Forgets rows; `most` goes down by their number. True when none is left.
  bool drop_some(std::size_t& most);
  /// Some have been moved, or forgotten.
  bool is_moving() const { return moving_.has_value(); }

  /// Of rows that came and went nothing is left.
  const std::map<TableIndex, Rows>& tables() const { return tables_; }
  /// Null: none of this table.
  const Rows* find(TableIndex table) const {
    const auto found = tables_.find(table);
    return found == tables_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return size_; }

  using SortedRows = std::vector<const Rows::value_type*>;
  /// Those of one table in the order of their UUIDs, for who reads several changes side by side.
  /// Sorted by the first who asks, some at a time: `budget` goes down by the rows looked at. Null
  /// while there is more to sort. Valid until something is added or moved.
  const SortedRows* sorted(TableIndex table, std::size_t& budget) const;

 private:
  struct ByUuid {
    bool operator()(const Rows::value_type* a, const Rows::value_type* b) const {
      return a->first < b->first;
    }
  };
  struct Order {
    explicit Order(const Rows& changed) : next(changed.begin()) {}
    Order(const Order&) = delete;
    Order& operator=(const Order&) = delete;
    Rows::const_iterator next;  ///< to be put into `rows`
    SortedRows rows;
    StepwiseSort<const Rows::value_type*, ByUuid> sort{rows, {}};
  };

  /// `end`: of a row that has changed already, this end is the later change's.
  void merge(const RowChange& change, RowRef RowChange::*end);
  /// take(row) of so many rows, which go.
  template <class F>
  bool take_some(F&& take, std::size_t& most);
  void remove(Rows& rows, Rows::iterator place);

  std::map<TableIndex, Rows> tables_;  // the same UUID may live in two tables
  std::size_t size_ = 0;
  std::optional<Rows::iterator> moving_;        ///< of the first table: the next to be moved
  mutable std::map<TableIndex, Order> orders_;  ///< that somebody has asked for
};

/// Changes one after the other, the oldest first: what becomes of a row may be spread over them.
using NetParts = std::vector<std::shared_ptr<const NetChanges>>;
using NetPartsRef = std::shared_ptr<const NetParts>;

}  // namespace tandem
