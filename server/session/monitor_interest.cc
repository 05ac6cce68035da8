#include "server/session/monitor_interest.h"

#include <algorithm>

namespace tandem {

void MonitorInterest::add(MonitorGroup& group, const MonitoredTable& table) {
  if (table.condition.is_always()) {
    unconditional_.push_back(&group);
    return;
  }
  for (const Clause& clause : table.condition.clauses()) {
    if (const std::optional<ValueKey> key = ValueKey::of(clause)) {
      add_key(group, *key);
      continue;
    }
    auto tried = std::find_if(tried_.begin(), tried_.end(),
                              [&](const TriedClause& other) { return other.clause == clause; });
    if (tried == tried_.end()) tried = tried_.insert(tried_.end(), {clause, {}});
    tried->groups.push_back(&group);
  }
}

void MonitorInterest::remove(MonitorGroup& group, const MonitoredTable& table) {
  if (table.condition.is_always()) {
    std::erase(unconditional_, &group);
    return;
  }
  for (const Clause& clause : table.condition.clauses()) {
    if (const std::optional<ValueKey> key = ValueKey::of(clause)) {
      remove_key(group, *key);
      continue;
    }
    const auto tried = std::find_if(tried_.begin(), tried_.end(), [&](const TriedClause& other) {
      return other.clause == clause;
    });
    std::erase(tried->groups, &group);
    if (tried->groups.empty()) tried_.erase(tried);
  }
}

void MonitorInterest::add_key(MonitorGroup& group, const ValueKey& key) {
  std::vector<MonitorGroup*>& groups = by_value_[key];
  if (groups.empty()) {
    const auto column =
        std::find_if(columns_.begin(), columns_.end(),
                     [&](const IndexedColumn& indexed) { return indexed.column == key.column; });
    if (column == columns_.end()) {
      columns_.push_back({key.column, 1});
    } else {
      ++column->keys;
    }
  }
  // Two clauses of a condition may have the same key; they come one after the other.
  if (groups.empty() || groups.back() != &group) groups.push_back(&group);
}

void MonitorInterest::remove_key(MonitorGroup& group, const ValueKey& key) {
  const auto found = by_value_.find(key);
  if (found == by_value_.end()) return;  // the clause before it had the same key
  std::erase(found->second, &group);
  if (!found->second.empty()) return;
  by_value_.erase(found);
  const auto column =
      std::find_if(columns_.begin(), columns_.end(),
                   [&](const IndexedColumn& indexed) { return indexed.column == key.column; });
  if (--column->keys == 0) columns_.erase(column);
}

}  // namespace tandem
