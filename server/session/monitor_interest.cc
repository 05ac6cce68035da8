#include "server/session/monitor_interest.h"

#include <algorithm>

namespace tandem {

bool GroupSet::insert(MonitorGroup* group) {
  if (one_ == group) return false;
  if (more_ != nullptr) return more_->insert(group).second;
  if (one_ == nullptr) {
    one_ = group;
    return true;
  }
  more_ = std::make_unique<boost::unordered_flat_set<MonitorGroup*>>();
  return more_->insert(group).second;
}

bool GroupSet::erase(MonitorGroup* group) {
  if (one_ == group) {
    one_ = nullptr;
    return true;
  }
  return more_ != nullptr && more_->erase(group) > 0;
}

bool MonitorInterest::has_values_of(ColumnIndex column) const {
  return std::any_of(columns_.begin(), columns_.end(), [&](const IndexedColumn& indexed) {
    return indexed.column == column && indexed.keys > 0;
  });
}

void MonitorInterest::place(MonitorGroup& group, const MonitorCondition& condition, bool present) {
  const auto is_everywhere = [](const ConditionMatcher::Column& column) {
    return column.always || column.excludes.size() > 1;
  };
  if (condition.is_always() || std::any_of(condition.matcher().columns().begin(),
                                           condition.matcher().columns().end(), is_everywhere)) {
    if (present) {
      unconditional_.insert(&group);
    } else {
      unconditional_.erase(&group);
    }
    return;
  }
  for (const ConditionMatcher::Column& column : condition.matcher().columns()) {
    for (const auto* clauses : {&column.equal, &column.includes}) {
      for (const Clause* clause : *clauses) place_key(group, *ValueKey::of(*clause), present);
    }
    if (column.unequal != nullptr) place_tried(group, *column.unequal, present);
    for (const Clause* clause : column.excludes) place_tried(group, *clause, present);
    if (column.below)
      place_bound(group, &IndexedColumn::below, column.column, *column.below, present);
    if (column.above)
      place_bound(group, &IndexedColumn::above, column.column, *column.above, present);
  }
}

void MonitorInterest::place_key(MonitorGroup& group, const ValueKey& key, bool present) {
  if (present) {
    GroupSet& groups = by_value_[key];
    if (groups.empty()) ++indexed(key.column).keys;
    groups.insert(&group);
    return;
  }
  const auto found = by_value_.find(key);
  if (found == by_value_.end()) return;  // another clause had the same key
  found->second.erase(&group);
  if (!found->second.empty()) return;
  by_value_.erase(found);
  --indexed(key.column).keys;
  drop_if_unused(key.column);
}

void MonitorInterest::place_bound(MonitorGroup& group, Bounds IndexedColumn::*bounds,
                                  ColumnIndex column, const ConditionMatcher::Bound& bound,
                                  bool present) {
  Bounds& held = indexed(column).*bounds;
  GroupSet& groups = held[bound.value];
  if (present) {
    groups.insert(&group);
    return;
  }
  groups.erase(&group);
  if (groups.empty()) held.erase(bound.value);
  drop_if_unused(column);
}

void MonitorInterest::place_tried(MonitorGroup& group, const Clause& clause, bool present) {
  const std::size_t hash = hash_of_datum(clause.argument.view());
  auto [at, end] = tried_.equal_range(hash);
  while (at != end && at->second.clause != clause) ++at;
  if (present) {
    if (at == end) at = tried_.emplace(hash, Tried{clause, {}});
    at->second.groups.insert(&group);
    return;
  }
  at->second.groups.erase(&group);
  if (at->second.groups.empty()) tried_.erase(at);
}

MonitorInterest::IndexedColumn& MonitorInterest::indexed(ColumnIndex column) {
  const auto found =
      std::find_if(columns_.begin(), columns_.end(),
                   [&](const IndexedColumn& indexed) { return indexed.column == column; });
  return found != columns_.end() ? *found : columns_.emplace_back(IndexedColumn{column, 0, {}, {}});
}

void MonitorInterest::drop_if_unused(ColumnIndex column) {
  std::erase_if(columns_, [&](const IndexedColumn& indexed) {
    return indexed.column == column && indexed.keys == 0 && indexed.below.empty() &&
           indexed.above.empty();
  });
}

}  // namespace tandem
