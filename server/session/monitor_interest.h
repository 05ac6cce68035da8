#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "protocol/monitor.h"
#include "server/session/value_key.h"

namespace tandem {

struct MonitorGroup;

/// Some groups, mostly one.
class GroupSet {
 public:
  /// False if it is there already.
  bool insert(MonitorGroup* group);
  bool erase(MonitorGroup* group);
  bool empty() const { return one_ == nullptr && (more_ == nullptr || more_->empty()); }

  template <class F>
  void for_each(F&& f) const {
    if (one_ != nullptr) f(*one_);
    if (more_ == nullptr) return;
    for (MonitorGroup* group : *more_) f(*group);
  }

 private:
  MonitorGroup* one_ = nullptr;
  std::unique_ptr<boost::unordered_flat_set<MonitorGroup*>> more_;
};

/// Which groups of monitors a changed row of one table may concern. Clauses that compare a column
/// with a value are found by that value, ordered comparisons by the bounds that they leave; one
/// other clause of a column is tried once for all groups that have it. Monitors without conditions
/// are visited for every change, and those whose conditions are of no such kind. May name a group
/// that turns out not to match, never misses one that does.
class MonitorInterest {
 public:
  void add(MonitorGroup& group, const MonitoredTable& table) {
    place(group, table.condition, true);
  }
  void remove(MonitorGroup& group, const MonitoredTable& table) {
    place(group, table.condition, false);
  }
  /// Whether a condition looks for values of the column.
  bool has_values_of(ColumnIndex column) const;

  /// Calls f(group) for each group concerned, some of them perhaps more than once.
  template <class F>
  void for_each(const Row* before, const Row* after, F&& f) const {
    unconditional_.for_each(f);
    for (const auto& [hash, tried] : tried_) {
      if ((before != nullptr && tried.clause.matches(*before)) ||
          (after != nullptr && tried.clause.matches(*after)))
        tried.groups.for_each(f);
    }
    if (columns_.empty()) return;
    visit(before, f);
    visit(after, f);
  }

 private:
  /// A clause without a key, and who has it.
  struct Tried {
    Clause clause;
    GroupSet groups;
  };
  struct AtomOrder {
    bool operator()(const AtomView& a, const AtomView& b) const { return compare(a, b) < 0; }
  };
  /// Groups by a bound; numbers, so nothing is borrowed.
  using Bounds = std::map<AtomView, GroupSet, AtomOrder>;
  struct IndexedColumn {
    ColumnIndex column;
    std::size_t keys = 0;  ///< in by_value_
    Bounds below;
    Bounds above;
  };

  template <class F>
  void visit(const Row* row, F&& f) const {
    if (row == nullptr) return;
    for (const IndexedColumn& indexed : columns_) {
      if (indexed.keys > 0) {
        for_each_value_hash(*row, indexed.column, [&](std::size_t value_hash) {
          const auto found = by_value_.find({indexed.column, value_hash});
          if (found != by_value_.end()) found->second.for_each(f);
        });
      }
      if (indexed.below.empty() && indexed.above.empty()) continue;
      const DatumView value = row->view(indexed.column);
      if (value.empty()) continue;
      const auto& below = indexed.below;
      for (auto at = below.lower_bound(value.key(0)); at != below.end(); ++at)
        at->second.for_each(f);
      const auto end = indexed.above.upper_bound(value.key(0));
      for (auto at = indexed.above.begin(); at != end; ++at) at->second.for_each(f);
    }
  }

  /// Puts the group in all places that its condition leads to, or takes it out.
  void place(MonitorGroup& group, const MonitorCondition& condition, bool present);
  void place_key(MonitorGroup& group, const ValueKey& key, bool present);
  void place_bound(MonitorGroup& group, Bounds IndexedColumn::*bounds, ColumnIndex column,
                   const ConditionMatcher::Bound& bound, bool present);
  void place_tried(MonitorGroup& group, const Clause& clause, bool present);
  IndexedColumn& indexed(ColumnIndex column);
  void drop_if_unused(ColumnIndex column);

  GroupSet unconditional_;
  std::multimap<std::size_t, Tried> tried_;  // by the argument's hash
  boost::unordered_flat_map<ValueKey, GroupSet> by_value_;
  std::vector<IndexedColumn> columns_;
};

}  // namespace tandem
