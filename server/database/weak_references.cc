#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>

#include "protocol/datum_cursor.h"
#include "server/database/commit_check.h"

// A weak reference dies with the row it leads to (RFC 7047 section 3.2). Two kinds matter: new
// references that were dead from the start, and those that lead to removed rows, whose referrers
// the tables know. So what lives on is not looked at, and what died in a column is collected per
// row, so that a large set is rebuilt once.

namespace tandem {
namespace {

/// A reference that a row had before the transaction, to a row that the transaction removed.
struct DeadReference {
  Referrer from;
  TableIndex target = 0;
  Uuid to;
  auto operator<=>(const DeadReference&) const = default;
};
using DeadReferences = std::span<const DeadReference>;

class WeakReferences {
 public:
  explicit WeakReferences(Drafts& drafts) : drafts_(drafts) {}

  Result<void> clean() {
    find_dead();
    // Cleaning a row may make a draft, which has no dead reference left: the loop ends with the
    // drafts that are there now.
    const std::size_t n = drafts_.size();
    for (std::size_t i = 0; i < n; i++) {
      if (!drafts_[i].after) continue;
      const TableIndex table = drafts_[i].table;
      const Uuid uuid = drafts_[i].uuid;
      if (auto cleaned = clean_row(table, uuid, dead_of(drafts_[i])); !cleaned) return cleaned;
    }
    for (auto begin = dead_.begin(); begin != dead_.end();) {
      const Referrer from = begin->from;
      const auto end = std::find_if(begin, dead_.end(),
                                    [&](const DeadReference& dead) { return dead.from != from; });
      const Uuid uuid = drafts_.database().table(from.table).at(from.slot).uuid();
      if (!drafts_.draft_of(from.table, uuid)) {  // else cleaned or removed
        if (auto cleaned = clean_row(from.table, uuid, DeadReferences(begin, end)); !cleaned)
          return cleaned;
      }
      begin = end;
    }
    return {};
  }

 private:
  void find_dead() {
    for (const Draft& draft : drafts_.all()) {
      if (!draft.deleted()) continue;
      const Referrers* const referrers =
          drafts_.database().table(draft.table).weak_referrers(draft.uuid);
      if (!referrers) continue;
      for (const Referrer& from : referrers->list()) {
        dead_.push_back({from, draft.table, draft.uuid});
      }
    }
    if (!std::is_sorted(dead_.begin(), dead_.end())) std::sort(dead_.begin(), dead_.end());
  }

  DeadReferences dead_of(const Draft& draft) const {
    if (dead_.empty() || !draft.before) return {};
    const Referrer from{draft.table, drafts_.database().table(draft.table).slot_of(draft.uuid)};
    const auto begin =
        std::lower_bound(dead_.begin(), dead_.end(), from,
                         [](const DeadReference& a, const Referrer& b) { return a.from < b; });
    const auto end =
        std::upper_bound(begin, dead_.end(), from,
                         [](const Referrer& a, const DeadReference& b) { return a < b.from; });
    return {begin, end};
  }

  Result<void> clean_row(TableIndex table, const Uuid& uuid, DeadReferences dead) {
    const auto& parts = drafts_.database().table(table).references().weak;
    for (const ReferencePart& part : parts) {
      const Row& row = *drafts_.find(table, uuid);
      const Draft* const draft = drafts_.draft_of(table, uuid);
      const Row* const before = draft ? draft->before.get() : &row;
      if (auto cleaned = clean_part(table, part, before, row, dead); !cleaned) return cleaned;
    }
    return {};
  }

  /// References that the row has from before are dead if this transaction removed their row; new
  /// ones, if there is none.
  Result<void> clean_part(TableIndex table, const ReferencePart& part, const Row* before,
                          const Row& row, DeadReferences old) {
    std::vector<Uuid> dead;
    visit_reference_changes(
        part, before, &row, [](const Uuid&) {},
        [&](const Uuid& to) {
          if (!drafts_.find(part.target, to)) dead.push_back(to);
        });
    for (const DeadReference& reference : old) {
      if (reference.target == part.target) dead.push_back(reference.to);
    }
    if (dead.empty()) return {};
    std::sort(dead.begin(), dead.end());

    const DatumView datum = row.view(part.column);
    Datum kept = set_difference(datum, keys_of(part, row, dead).view());
    const std::size_t removed = datum.size() - kept.size();
    if (removed == 0) return {};
    if (kept.size() < drafts_.schema(table).column(part.column).type.n_min) {
      return too_small(table, part.column, row.uuid(), removed, dead.front().is_zero());
    }
    drafts_.modify(table, row.uuid()).set(part.column, std::move(kept));
    return {};
  }

  /// The keys of the elements with the dead references, which are sorted.
  static Datum keys_of(const ReferencePart& part, const Row& row, const std::vector<Uuid>& dead) {
    const DatumView datum = row.view(part.column);
    DatumBuilder keys(datum.key_type());
    if (!part.of_values) {
      for (const Uuid& uuid : dead) keys.add(uuid);
    } else {
      for (DatumCursor at(datum); !at.done(); at.advance()) {
        const Uuid& uuid = at.piece().uuid_values()[at.at()];
        if (std::binary_search(dead.begin(), dead.end(), uuid)) keys.add(at.key());
      }
    }
    return keys.build_unique();
  }

  Error too_small(TableIndex table, ColumnIndex column, const Uuid& uuid, std::size_t removed,
                  bool zero) const {
    const TableSchema& schema = drafts_.schema(table);
    const std::string& name = schema.column(column).name;
    const Draft* const draft = drafts_.draft_of(table, uuid);
    const bool inserted = draft && draft->inserted();
    if (inserted && zero) {
      return constraint_violation(fmt::format(
          "Weak reference column \"{}\" in \"{}\" row {} (inserted within this transaction) "
          "contained all-zeros UUID (probably as the default value for this column) but deleting "
          "this value caused a constraint volation because this column is not allowed to be empty.",
          name, schema.name, uuid.to_string()));
    }
    return constraint_violation(fmt::format(
        "Deletion of {} weak reference(s) to deleted (or never-existing) rows from column \"{}\" "
        "in \"{}\" row {}{} caused this column to become empty, but constraints on this column "
        "disallow an empty column.",
        removed, name, schema.name, uuid.to_string(),
        inserted ? " (inserted within this transaction)" : ""));
  }

  Drafts& drafts_;
  std::vector<DeadReference> dead_;  // sorted
};

}  // namespace

Result<void> clean_weak_references(Drafts& drafts) { return WeakReferences(drafts).clean(); }

}  // namespace tandem
