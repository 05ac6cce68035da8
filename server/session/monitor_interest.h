#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <vector>

#include "protocol/monitor.h"
#include "server/session/value_key.h"

namespace tandem {

struct MonitorGroup;

/// Which groups of monitors a changed row of one table may concern. Clauses that compare a column
/// with a value are found by that value; others are tried once for all groups that have them; only
/// monitors without conditions are visited for every change. May name a group that turns out not to
/// match, never misses one that does.
class MonitorInterest {
 public:
  void add(MonitorGroup& group, const MonitoredTable& table);
  void remove(MonitorGroup& group, const MonitoredTable& table);

  /// Calls f(group) for each group concerned, some of them perhaps more than once.
  template <class F>
  void for_each(const Row* before, const Row* after, F&& f) const {
    for (MonitorGroup* group : unconditional_) f(*group);
    for (const TriedClause& tried : tried_) {
      if ((before != nullptr && tried.clause.matches(*before)) ||
          (after != nullptr && tried.clause.matches(*after))) {
        for (MonitorGroup* group : tried.groups) f(*group);
      }
    }
    if (by_value_.empty()) return;
    visit(before, f);
    visit(after, f);
  }

 private:
  /// A clause without a key, and who has it.
  struct TriedClause {
    Clause clause;
    std::vector<MonitorGroup*> groups;
  };
  struct IndexedColumn {
    ColumnIndex column;
    std::size_t keys;  ///< in by_value_
  };

  template <class F>
  void visit(const Row* row, F&& f) const {
    if (row == nullptr) return;
    for (const IndexedColumn& indexed : columns_) {
      for_each_value_hash(*row, indexed.column, [&](std::size_t value_hash) {
        const auto found = by_value_.find({indexed.column, value_hash});
        if (found == by_value_.end()) return;
        for (MonitorGroup* group : found->second) f(*group);
      });
    }
  }

  void add_key(MonitorGroup& group, const ValueKey& key);
  void remove_key(MonitorGroup& group, const ValueKey& key);

  std::vector<MonitorGroup*> unconditional_;
  std::vector<TriedClause> tried_;
  boost::unordered_flat_map<ValueKey, std::vector<MonitorGroup*>> by_value_;
  std::vector<IndexedColumn> columns_;
};

}  // namespace tandem
