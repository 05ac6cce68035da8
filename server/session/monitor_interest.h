#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <vector>

#include "protocol/monitor.h"

namespace tandem {

struct MonitorGroup;

/// Which groups of monitors a changed row of one table may concern. Conditions that compare a
/// column with a value are found by that value; only what cannot be found so (and monitors without
/// conditions) is visited for every change. May name a group that turns out not to match, never
/// misses one that does.
class MonitorInterest {
 public:
  void add(MonitorGroup& group, const MonitoredTable& table);
  void remove(MonitorGroup& group, const MonitoredTable& table);

  /// Calls f(group) for each group concerned, some of them perhaps more than once.
  template <class F>
  void for_each(const Row* before, const Row* after, F&& f) const {
    for (MonitorGroup* group : unindexed_) f(*group);
    if (by_value_.empty()) return;
    visit(before, f);
    visit(after, f);
  }

 private:
  struct Key {
    ColumnIndex column;
    std::size_t value_hash;
    bool operator==(const Key&) const = default;
    friend std::size_t hash_value(const Key& key) { return key.value_hash * 31 + key.column; }
  };
  struct IndexedColumn {
    ColumnIndex column;
    std::size_t keys;  ///< in by_value_
  };

  template <class F>
  void visit(const Row* row, F&& f) const {
    if (row == nullptr) return;
    for (const IndexedColumn& indexed : columns_) {
      const DatumView view = row->view(indexed.column);
      if (view.empty()) lookup({indexed.column, kEmptyHash}, f);
      for (std::size_t i = 0; i < view.size(); ++i) lookup({indexed.column, hash(view.key(i))}, f);
    }
  }
  template <class F>
  void lookup(const Key& key, F&& f) const {
    const auto found = by_value_.find(key);
    if (found == by_value_.end()) return;
    for (MonitorGroup* group : found->second) f(*group);
  }

  static constexpr std::size_t kEmptyHash = 0x5bd1e995;
  static std::size_t hash(const AtomView& atom);
  /// The key under which a clause is found; nothing when it must be visited always.
  static std::optional<Key> key_of(const Clause& clause);
  /// The keys of all clauses; nothing when one of them has none, or the condition is always true.
  static std::optional<std::vector<Key>> keys_of(const MonitorCondition& condition);

  std::vector<MonitorGroup*> unindexed_;
  boost::unordered_flat_map<Key, std::vector<MonitorGroup*>> by_value_;
  std::vector<IndexedColumn> columns_;
};

}  // namespace tandem
