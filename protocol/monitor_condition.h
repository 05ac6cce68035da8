#pragma once

#include <memory>
#include <vector>

#include "protocol/condition_matcher.h"

namespace tandem {

/// A "where" of monitor_cond (ovsdb-server(7) section 4.1.12): any clause may hold; an empty list
/// is true. Immutable; copies share the clauses. Made by MonitorConditionBuilder.
class MonitorCondition {
 public:
  /// Matches every row.
  MonitorCondition() = default;
  static MonitorCondition always() { return {}; }
  /// Requires a JSON array.
  static Result<MonitorCondition> from_json(const TableSchema& table, JsonView value);

  bool is_always() const { return alternatives_ == nullptr; }
  bool is_never() const { return !is_always() && clauses().empty(); }
  /// Clauses beside plain booleans, sorted and unique, so that equal conditions compare equal.
  const std::vector<Clause>& clauses() const;
  bool matches(const Row& row) const { return is_always() || alternatives_->matcher.matches(row); }
  /// Requires that it is not always().
  const ConditionMatcher& matcher() const { return alternatives_->matcher; }
  /// The clauses that `other` has not. Requires that neither is always().
  std::vector<Clause> without(const MonitorCondition& other) const;
  /// Equal conditions have equal hashes.
  std::size_t hash() const { return is_always() ? 0 : alternatives_->hash; }
  bool operator==(const MonitorCondition& other) const;

 private:
  friend class MonitorConditionBuilder;
  struct Alternatives {
    explicit Alternatives(std::vector<Clause> clauses);
    ConditionMatcher matcher;
    std::size_t hash;
  };
  std::shared_ptr<const Alternatives> alternatives_;  ///< null: always
};

/// Collects the "where"s of one table's requests, any of which may hold.
class MonitorConditionBuilder {
 public:
  /// Requires a JSON array.
  Result<void> add(const TableSchema& table, JsonView where);
  /// Takes over all that was added. If nothing was: always.
  MonitorCondition build();

 private:
  std::vector<Clause> clauses_;
  bool any_ = false;
  bool always_ = false;
};

}  // namespace tandem
