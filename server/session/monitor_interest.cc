#include "server/session/monitor_interest.h"

#include <algorithm>

namespace tandem {

std::size_t MonitorInterest::hash(const AtomView& atom) { return Datum::of(atom).view().hash(); }

std::optional<MonitorInterest::Key> MonitorInterest::key_of(const Clause& clause) {
  const DatumView argument = clause.argument.view();
  switch (clause.function) {
    case Function::kEq:
      // A column that equals the argument holds each of its keys, or is empty as it is.
      return Key{clause.column, argument.empty() ? kEmptyHash : hash(argument.key(0))};
    case Function::kIncludes:
      if (argument.empty()) return std::nullopt;  // always true
      return Key{clause.column, hash(argument.key(0))};
    case Function::kLt:
    case Function::kLe:
    case Function::kNe:
    case Function::kGe:
    case Function::kGt:
    case Function::kExcludes:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::vector<MonitorInterest::Key>> MonitorInterest::keys_of(
    const MonitorCondition& condition) {
  if (condition.is_always()) return std::nullopt;
  std::vector<Key> keys;
  for (const Clause& clause : condition.clauses()) {
    const std::optional<Key> key = key_of(clause);
    if (!key) return std::nullopt;
    if (std::find(keys.begin(), keys.end(), *key) == keys.end()) keys.push_back(*key);
  }
  return keys;
}

void MonitorInterest::add(MonitorGroup& group, const MonitoredTable& table) {
  const std::optional<std::vector<Key>> keys = keys_of(table.condition);
  if (!keys) {
    unindexed_.push_back(&group);
    return;
  }
  for (const Key& key : *keys) {
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
    groups.push_back(&group);
  }
}

void MonitorInterest::remove(MonitorGroup& group, const MonitoredTable& table) {
  const std::optional<std::vector<Key>> keys = keys_of(table.condition);
  if (!keys) {
    std::erase(unindexed_, &group);
    return;
  }
  for (const Key& key : *keys) {
    const auto found = by_value_.find(key);
    std::erase(found->second, &group);
    if (!found->second.empty()) continue;
    by_value_.erase(found);
    const auto column =
        std::find_if(columns_.begin(), columns_.end(),
                     [&](const IndexedColumn& indexed) { return indexed.column == key.column; });
    if (--column->keys == 0) columns_.erase(column);
  }
}

}  // namespace tandem
