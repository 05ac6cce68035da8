#include "server/database/commit_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace tandem {
namespace {

/// Makes columns that were set to what they were share the old datum again. True if any column
/// differs.
bool drop_equal_columns(const Row& before, Row& after, const TableSchema& schema) {
  bool changed = false;
  for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
    if (before.datum(i).same(after.datum(i))) continue;
    if (before.datum(i) == after.datum(i)) {
      after.set(i, before.datum(i));
    } else {
      changed = true;
    }
  }
  return changed;
}

/// Which drafts of existing rows differ from what was there, by number.
std::vector<bool> find_modified(const Drafts& drafts) {
  std::vector<bool> modified(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); i++) {
    const Draft& draft = drafts[i];
    modified[i] = draft.before && draft.after &&
                  drop_equal_columns(*draft.before, *draft.after, drafts.schema(draft.table));
  }
  return modified;
}

/// Rows that were `modified` before weak references died count as changed even if that undid it, as
/// in ovsdb-server: their monitors are told of a new _version.
std::vector<RowChange> collect_changes(const Drafts& drafts, const std::vector<bool>& modified) {
  std::vector<RowChange> changes;
  changes.reserve(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); i++) {
    const Draft& draft = drafts[i];
    if (!draft.before && !draft.after) continue;
    if (draft.before && draft.after) {
      const bool differs =
          drop_equal_columns(*draft.before, *draft.after, drafts.schema(draft.table));
      if (!differs && !(i < modified.size() && modified[i])) continue;
      draft.after->set_version(Uuid::random());
    }
    changes.push_back({draft.table, draft.before, draft.after});
  }
  const auto by_table = [](const RowChange& a, const RowChange& b) { return a.table < b.table; };
  if (!std::is_sorted(changes.begin(), changes.end(), by_table)) {
    std::stable_sort(changes.begin(), changes.end(), by_table);
  }
  return changes;
}

}  // namespace

Result<void> check_row_counts(const Drafts& drafts) {
  // The limited tables that the transaction touched, the first touched first: that is the one
  // ovsdb-server names.
  std::vector<std::pair<TableIndex, std::size_t>> counts;
  boost::unordered_flat_map<TableIndex, std::size_t> number_of;  // in counts
  for (const Draft& draft : drafts.all()) {
    if (drafts.schema(draft.table).max_rows == TableSchema::kNoLimit) continue;
    const auto [at, fresh] = number_of.try_emplace(draft.table, counts.size());
    if (fresh) counts.emplace_back(draft.table, drafts.database().table(draft.table).size());
    std::size_t& count = counts[at->second].second;
    if (draft.inserted()) count++;
    if (draft.deleted()) count--;
  }
  for (const auto& [table, count] : counts) {
    const TableSchema& schema = drafts.schema(table);
    if (count <= schema.max_rows) continue;
    return constraint_violation(
        fmt::format("transaction causes \"{}\" table to contain {} rows, greater than the "
                    "schema-defined limit of {} row(s)",
                    schema.name, count, schema.max_rows));
  }
  return {};
}

Result<std::vector<RowChange>> finish_drafts(Drafts& drafts) {
  if (auto settled = settle_strong_references(drafts); !settled) return settled.error();
  if (auto counted = check_row_counts(drafts); !counted) return counted.error();
  const std::vector<bool> modified = find_modified(drafts);
  if (auto cleaned = clean_weak_references(drafts); !cleaned) return cleaned.error();
  if (auto unique = check_indexes(drafts); !unique) return unique.error();
  return collect_changes(drafts, modified);
}

}  // namespace tandem
