#include "protocol/monitor_condition.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "protocol/type.h"

namespace tandem {

namespace {

/// The order of a condition's clauses.
bool is_before(const Clause& a, const Clause& b) {
  const auto of_a = std::tie(a.column, a.function);
  const auto of_b = std::tie(b.column, b.function);
  return of_a != of_b ? of_a < of_b : compare(a.argument.view(), b.argument.view()) < 0;
}

std::size_t hash_of(const std::vector<Clause>& clauses) {
  std::size_t hash = 1;
  const auto combine = [&](std::size_t value) { hash = hash * 0x9e3779b97f4a7c15ULL + value; };
  for (const Clause& clause : clauses) {
    combine(clause.column);
    combine(static_cast<std::size_t>(clause.function));
    combine(hash_of_datum(clause.argument.view()));
  }
  return hash;
}

}  // namespace

MonitorCondition::Alternatives::Alternatives(std::vector<Clause> clauses)
    : matcher(std::move(clauses)), hash(hash_of(matcher.clauses())) {}

Result<MonitorCondition> MonitorCondition::from_json(const TableSchema& table, JsonView value) {
  MonitorConditionBuilder builder;
  if (auto added = builder.add(table, value); !added) return std::move(added).error();
  return builder.build();
}

const std::vector<Clause>& MonitorCondition::clauses() const {
  static const std::vector<Clause> kNone;
  return is_always() ? kNone : alternatives_->matcher.clauses();
}

std::vector<Clause> MonitorCondition::without(const MonitorCondition& other) const {
  std::vector<Clause> rest;
  std::set_difference(clauses().begin(), clauses().end(), other.clauses().begin(),
                      other.clauses().end(), std::back_inserter(rest), is_before);
  return rest;
}

bool MonitorCondition::operator==(const MonitorCondition& other) const {
  if (alternatives_ == other.alternatives_) return true;
  return is_always() == other.is_always() && hash() == other.hash() && clauses() == other.clauses();
}

Result<void> MonitorConditionBuilder::add(const TableSchema& table, JsonView where) {
  any_ = true;
  always_ |= where.empty();
  for (const JsonView element : where.elements()) {
    if (element.is_bool()) {
      always_ |= element.get_bool();
      continue;
    }
    auto clause = Clause::from_json(table, element, nullptr);
    if (!clause) return std::move(clause).error();
    clauses_.push_back(std::move(*clause));
  }
  return {};
}

MonitorCondition MonitorConditionBuilder::build() {
  MonitorCondition condition;
  if (!any_ || always_) return condition;
  std::sort(clauses_.begin(), clauses_.end(), is_before);
  clauses_.erase(std::unique(clauses_.begin(), clauses_.end()), clauses_.end());
  clauses_.shrink_to_fit();
  condition.alternatives_ =
      std::make_shared<const MonitorCondition::Alternatives>(std::move(clauses_));
  return condition;
}

}  // namespace tandem
