#include "server/database/row_query.h"

#include <algorithm>

namespace tandem {
namespace {

/// The UUID that a clause demands, or null.
const Clause* uuid_clause(const Condition& where) {
  for (const Clause& clause : where.clauses()) {
    const bool equal = clause.function == Function::kEq || clause.function == Function::kIncludes;
    if (clause.column == kUuidColumn && equal && clause.argument.size() == 1) return &clause;
  }
  return nullptr;
}

/// The key that the clauses demand, or an empty one when a column of the index has no `==`.
IndexKey index_key(const UniqueIndex& index, const Condition& where) {
  IndexKey key;
  for (const ColumnIndex column : index.columns()) {
    const auto& clauses = where.clauses();
    const auto clause = std::find_if(clauses.begin(), clauses.end(), [&](const Clause& c) {
      return c.column == column && c.function == Function::kEq;
    });
    if (clause == clauses.end()) return {};
    key.push_back(clause->argument.view());
  }
  return key;
}

class Query {
 public:
  Query(const Drafts& drafts, TableIndex table, const Condition& where)
      : drafts_(drafts), table_(drafts.database().table(table)), index_(table), where_(where) {}

  FoundRows run() {
    if (const Clause* const clause = uuid_clause(where_)) {
      take(drafts_.find(index_, std::get<Uuid>(clause->argument.view().key(0))));
      return std::move(found_);
    }
    if (!where_.clauses().empty()) {
      for (const UniqueIndex& index : table_.indexes()) {
        const IndexKey key = index_key(index, where_);
        if (key.empty()) continue;
        if (const Row* const row = index.find(key)) take_live(*row);
        drafts_.for_each_with(index_, index, key,
                              [&](const Draft& draft) { take(draft.after.get()); });
        return std::move(found_);
      }
    }
    table_.for_each([&](const Row& row) { take_live(row); });
    drafts_.for_each_of(index_, [&](const Draft& draft) { take(draft.after.get()); });
    return std::move(found_);
  }

 private:
  void take(const Row* row) {
    if (row && where_.matches(*row)) found_.push_back(row);
  }
  /// A row of the database, unless the transaction has its own version.
  void take_live(const Row& row) {
    if (!drafts_.draft_of(index_, row.uuid())) take(&row);
  }

  const Drafts& drafts_;
  const Table& table_;
  const TableIndex index_;
  const Condition& where_;
  FoundRows found_;
};

}  // namespace

bool tries_all(const Table& table, const Condition& where) {
  if (uuid_clause(where) != nullptr) return false;
  if (where.clauses().empty()) return true;
  return std::all_of(table.indexes().begin(), table.indexes().end(),
                     [&](const UniqueIndex& index) { return index_key(index, where).empty(); });
}

FoundRows find_rows(const Drafts& drafts, TableIndex table, const Condition& where) {
  return Query(drafts, table, where).run();
}

}  // namespace tandem
