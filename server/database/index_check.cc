#include <fmt/core.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>

#include "server/database/commit_check.h"

namespace tandem {
namespace {

/// "A", "A and B", "A, B, and C".
template <class Append>  // void(std::string&, std::size_t i)
std::string english_list(std::size_t n, Append&& append) {
  std::string text;
  for (std::size_t i = 0; i < n; i++) {
    if (i > 0) text += n == 2 ? " and " : i + 1 < n ? ", " : ", and ";
    append(text, i);
  }
  return text;
}

/// Orders rows by their contents, column by column in order of name. Both of one table.
bool less_by_contents(const TableSchema& schema, const Row& a, const Row& b) {
  for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
    const auto order = compare(a.view(i), b.view(i));
    if (order != 0) return order < 0;
  }
  return false;
}

/// One index of one table against the drafts.
class IndexCheck {
 public:
  IndexCheck(const Drafts& drafts, TableIndex table, const UniqueIndex& index)
      : drafts_(drafts), table_(table), index_(index), claimed_(index.columns()) {}

  Result<void> run() {
    Result<void> checked;
    drafts_.for_each_of(table_, [&](const Draft& draft) {
      if (checked && draft.after) checked = check(draft);
    });
    return checked;
  }

 private:
  Result<void> check(const Draft& draft) {
    const Row& row = *draft.after;
    if (draft.before && index_.same_key(*draft.before, row)) return {};
    if (const Row* const other = claimed_.find(row)) return duplicate(*other, row);
    claimed_.insert(row);
    const Row* const live = index_.find(row);
    if (!live) return {};
    const Draft* const of_live = drafts_.draft_of(table_, live->uuid());
    if (!of_live) return duplicate(*live, row);
    if (of_live->after && index_.same_key(*of_live->after, row)) {
      return duplicate(*of_live->after, row);
    }
    return {};
  }

  std::string values(const Row& row) const {
    const TableSchema& schema = drafts_.schema(table_);
    return english_list(index_.columns().size(), [&](std::string& out, std::size_t i) {
      const ColumnIndex column = index_.columns()[i];
      append_datum_text(out, schema.column(column).type, row.view(column));
    });
  }

  /// What the transaction did to a row.
  std::string history(const Row& row) const {
    const Draft* const draft = drafts_.draft_of(table_, row.uuid());
    constexpr std::string_view kExisted = "existed in the database before this transaction";
    if (!draft) return fmt::format("{} and was not modified by the transaction", kExisted);
    if (!draft->before) return "was inserted by this transaction";
    if (!index_.same_key(*draft->before, row)) {
      return fmt::format("had the following index values before the transaction: {}",
                         values(*draft->before));
    }
    const TableSchema& schema = drafts_.schema(table_);
    for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
      if (draft->before->datum(i) == row.datum(i)) continue;
      return fmt::format(
          "{}, which modified some of the row's columns but not any columns in this index",
          kExisted);
    }
    return fmt::format("{} and was not modified by the transaction", kExisted);
  }

  Error duplicate(const Row& a, const Row& b) const {
    const TableSchema& schema = drafts_.schema(table_);
    const bool swap = less_by_contents(schema, a, b);
    const Row& first = swap ? b : a;
    const Row& second = swap ? a : b;
    const auto& columns = index_.columns();
    const std::string names = english_list(columns.size(), [&](std::string& out, std::size_t i) {
      out += '"' + schema.column(columns[i]).name + '"';
    });
    return constraint_violation(fmt::format(
        "Transaction causes multiple rows in \"{}\" table to have identical values ({}) for index "
        "on column{} {}.  First row, with UUID {}, {}.  Second row, with UUID {}, {}.",
        schema.name, values(first), columns.size() == 1 ? "" : "s", names, first.uuid().to_string(),
        history(first), second.uuid().to_string(), history(second)));
  }

  const Drafts& drafts_;
  const TableIndex table_;
  const UniqueIndex& index_;
  UniqueIndex claimed_;  // keys that rows have got in this transaction
};

}  // namespace

Result<void> check_indexes(const Drafts& drafts) {
  std::vector<TableIndex> tables;  // the first touched first
  boost::unordered_flat_set<TableIndex> seen;
  for (const Draft& draft : drafts.all()) {
    if (!draft.after || drafts.schema(draft.table).indexes.empty()) continue;
    if (!tables.empty() && tables.back() == draft.table) continue;
    if (seen.insert(draft.table).second) tables.push_back(draft.table);
  }
  for (const TableIndex table : tables) {
    for (const UniqueIndex& index : drafts.database().table(table).indexes()) {
      if (auto checked = IndexCheck(drafts, table, index).run(); !checked) return checked;
    }
  }
  return {};
}

}  // namespace tandem
