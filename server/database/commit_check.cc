#include "server/database/commit_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace tandem {
namespace {

/// Makes columns that were set to what they were share the old datum again. True if any column differs.
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

std::vector<RowChange> collect_changes(const Drafts& drafts) {
  std::vector<RowChange> changes;
  changes.reserve(drafts.size());
  for (const Draft& draft : drafts.all()) {
    if (!draft.before && !draft.after) continue;
    if (draft.before && draft.after) {
      if (!drop_equal_columns(*draft.before, *draft.after, drafts.schema(draft.table))) continue;
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
  std::map<TableIndex, std::size_t> counts;  // of limited tables that got rows
  for (const Draft& draft : drafts.all()) {
    if (draft.inserted() && drafts.schema(draft.table).max_rows != TableSchema::kNoLimit) {
      counts.emplace(draft.table, drafts.database().table(draft.table).size());
    }
  }
  if (counts.empty()) return {};
  for (const Draft& draft : drafts.all()) {
    const auto count = counts.find(draft.table);
    if (count == counts.end()) continue;
    if (draft.inserted()) count->second++;
    if (draft.deleted()) count->second--;
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
  if (auto cleaned = clean_weak_references(drafts); !cleaned) return cleaned.error();
  if (auto unique = check_indexes(drafts); !unique) return unique.error();
  return collect_changes(drafts);
}

}  // namespace tandem
