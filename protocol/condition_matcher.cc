#include "protocol/condition_matcher.h"

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

/// So few clauses are tried sooner than looked up.
constexpr std::size_t kFew = 4;

bool is_beyond(const ConditionMatcher::Bound& bound, const AtomView& value, bool below) {
  const auto order = compare(value, bound.value);
  return order == 0 ? bound.inclusive : below == (order < 0);
}

/// Keeps what admits more.
void widen(std::optional<ConditionMatcher::Bound>& bound, const AtomView& value, bool inclusive,
           bool below) {
  const auto order = bound ? compare(value, bound->value) : std::strong_ordering::equal;
  if (!bound || (order != 0 && below == (order > 0))) {
    bound = {value, inclusive};
  } else if (order == 0) {
    bound->inclusive |= inclusive;
  }
}

bool any_matches(const std::vector<const Clause*>& clauses, const Row& row) {
  return std::any_of(clauses.begin(), clauses.end(),
                     [&](const Clause* clause) { return clause->matches(row); });
}

}  // namespace

void ConditionMatcher::Column::add(const Clause& clause) {
  const DatumView argument = clause.argument.view();
  switch (clause.function) {
    case Function::kEq:
      equal.push_back(&clause);
      break;
    case Function::kNe:
      // Clauses differ, and no value equals two that differ.
      always = always || unequal != nullptr;
      unequal = &clause;
      break;
    case Function::kIncludes:
      always = always || argument.empty();
      includes.push_back(&clause);
      break;
    case Function::kExcludes:
      always = always || argument.empty();
      excludes.push_back(&clause);
      break;
    case Function::kLt:
      widen(below, argument.key(0), false, true);
      break;
    case Function::kLe:
      widen(below, argument.key(0), true, true);
      break;
    case Function::kGt:
      widen(above, argument.key(0), false, false);
      break;
    case Function::kGe:
      widen(above, argument.key(0), true, false);
      break;
  }
}

void ConditionMatcher::Column::finish() {
  if (always) return;
  for (const Clause* clause : equal)
    equal_by_hash_[hash_of_datum(clause->argument.view())].push_back(clause);
  const auto for_each_element = [](const std::vector<const Clause*>& clauses, auto&& f) {
    for (const Clause* clause : clauses) {
      const DatumView argument = clause->argument.view();
      for (DatumCursor at(argument); !at.done(); at.advance()) f(ElementView::of(at));
    }
  };
  boost::unordered_flat_map<ElementView, std::size_t> frequency;
  for_each_element(includes, [&](const ElementView& element) { ++frequency[element]; });
  for (const Clause* clause : includes) {
    const DatumView argument = clause->argument.view();
    DatumCursor at(argument);
    ElementView rarest = ElementView::of(at);
    std::size_t times = frequency[rarest];
    for (at.advance(); !at.done() && times > 1; at.advance()) {
      const ElementView element = ElementView::of(at);
      if (frequency[element] >= times) continue;
      rarest = element;
      times = frequency[element];
    }
    includes_by_element_[rarest].push_back(clause);
  }
  for_each_element(excludes, [&](const ElementView& element) { ++exclusions_[element]; });
}

bool ConditionMatcher::Column::matches(const Row& row) const {
  if (always) return true;
  const DatumView have = row.view(column);
  if (!equal_by_hash_.empty()) {
    const auto found = equal_by_hash_.find(hash_of_datum(have));
    if (found != equal_by_hash_.end() && any_matches(found->second, row)) return true;
  }
  if (unequal != nullptr && unequal->matches(row)) return true;
  if (below && !have.empty() && is_beyond(*below, have.key(0), true)) return true;
  if (above && !have.empty() && is_beyond(*above, have.key(0), false)) return true;
  return (!includes.empty() && matches_included(row, have)) ||
         (!excludes.empty() && matches_excluded(row, have));
}

bool ConditionMatcher::Column::matches_included(const Row& row, const DatumView& have) const {
  const auto holds = [&](const Clause* clause) { return clause->matches(row); };
  // A large set is searched for a few elements rather than walked.
  if (includes.size() < have.size() / 8)
    return std::any_of(includes.begin(), includes.end(), holds);
  for (DatumCursor at(have); !at.done(); at.advance()) {
    const auto found = includes_by_element_.find(ElementView::of(at));
    if (found != includes_by_element_.end() &&
        std::any_of(found->second.begin(), found->second.end(), holds))
      return true;
  }
  return false;
}

bool ConditionMatcher::Column::matches_excluded(const Row& row, const DatumView& have) const {
  const auto holds = [&](const Clause* clause) { return clause->matches(row); };
  if (excludes.size() < have.size() / 8)
    return std::any_of(excludes.begin(), excludes.end(), holds);
  // A clause fails if the column has any of its elements: all fail only if their counts add up.
  std::size_t failing = 0;
  for (DatumCursor at(have); !at.done(); at.advance()) {
    const auto found = exclusions_.find(ElementView::of(at));
    if (found == exclusions_.end()) continue;
    if (found->second == excludes.size()) return false;
    failing += found->second;
  }
  return failing < excludes.size() || std::any_of(excludes.begin(), excludes.end(), holds);
}

ConditionMatcher::ConditionMatcher(std::vector<Clause> clauses) : clauses_(std::move(clauses)) {
  for (const Clause& clause : clauses_) {  // sorted by column
    if (columns_.empty() || columns_.back().column != clause.column)
      columns_.emplace_back(clause.column);
    columns_.back().add(clause);
  }
  for (Column& column : columns_) {
    if (clauses_.size() > kFew) column.finish();
    always_ = always_ || column.always;
  }
}

bool ConditionMatcher::matches(const Row& row) const {
  if (always_) return true;
  if (clauses_.size() <= kFew) {
    return std::any_of(clauses_.begin(), clauses_.end(),
                       [&](const Clause& clause) { return clause.matches(row); });
  }
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](const Column& column) { return column.matches(row); });
}

}  // namespace tandem
