#include <algorithm>
#include <boost/json/array.hpp>
#include <iterator>
#include <tuple>
#include <utility>

#include "protocol/condition.h"
#include "protocol/type.h"

namespace tandem {

namespace {

/// The order of a condition's clauses.
bool is_before(const Clause& a, const Clause& b) {
  const auto of_a = std::tie(a.column, a.function);
  const auto of_b = std::tie(b.column, b.function);
  return of_a != of_b ? of_a < of_b : compare(a.argument.view(), b.argument.view()) < 0;
}

}  // namespace

Result<MonitorCondition> MonitorCondition::from_json(const TableSchema& table,
                                                     const json::value& value) {
  const json::array& elements = value.get_array();
  MonitorCondition condition;
  condition.always_ = elements.empty();
  for (const json::value& element : elements) {
    if (const bool* truth = element.if_bool()) {
      condition.always_ |= *truth;
      continue;
    }
    auto clause = Clause::from_json(table, element, nullptr);
    if (!clause) return std::move(clause).error();
    condition.clauses_.push_back(std::move(*clause));
  }
  condition.normalize();
  return condition;
}

void MonitorCondition::add_alternatives(const MonitorCondition& other) {
  always_ |= other.always_;
  clauses_.insert(clauses_.end(), other.clauses_.begin(), other.clauses_.end());
  normalize();
}

void MonitorCondition::normalize() {
  if (always_) clauses_.clear();
  std::sort(clauses_.begin(), clauses_.end(), is_before);
  clauses_.erase(std::unique(clauses_.begin(), clauses_.end()), clauses_.end());
}

bool MonitorCondition::matches(const Row& row) const {
  return always_ || std::any_of(clauses_.begin(), clauses_.end(),
                                [&](const Clause& c) { return c.matches(row); });
}

std::vector<Clause> MonitorCondition::without(const MonitorCondition& other) const {
  std::vector<Clause> rest;
  std::set_difference(clauses_.begin(), clauses_.end(), other.clauses_.begin(),
                      other.clauses_.end(), std::back_inserter(rest), is_before);
  return rest;
}

json::value MonitorCondition::to_json(const TableSchema& table) const {
  json::array array;
  if (is_never()) array.emplace_back(false);
  for (const Clause& clause : clauses_) {
    array.push_back(json::array{json::string_view(table.column(clause.column).name),
                                json::string_view(to_string(clause.function)),
                                datum_to_json(clause.argument.view())});
  }
  return array;
}

}  // namespace tandem
