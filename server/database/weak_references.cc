#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>

#include "protocol/datum_cursor.h"
#include "server/database/commit_check.h"

// A weak reference dies with the row it leads to (RFC 7047 section 3.2). Two kinds of drafts
// matter: rows that got references that were dead from the start, and removed rows, whose referrers
// the tables know. What died in a column is collected per row, so that a large set is rebuilt once.

namespace tandem {
namespace {

class WeakReferences {
 public:
  explicit WeakReferences(Drafts& drafts) : drafts_(drafts) {}

  Result<void> clean() {
    // Drafts made on the way are versions without the dead references: nothing is left to do for
    // them.
    const std::size_t n = drafts_.size();
    for (std::size_t i = 0; i < n; i++) {
      if (!drafts_[i].after) continue;
      if (auto cleaned = clean_row(drafts_[i].table, drafts_[i].uuid); !cleaned) return cleaned;
    }
    for (std::size_t i = 0; i < n; i++) {
      if (!drafts_[i].deleted()) continue;
      const Table& table = drafts_.database().table(drafts_[i].table);
      const Referrers* const referrers = table.weak_referrers(drafts_[i].uuid);
      if (!referrers) continue;
      for (const Referrer& from : referrers->list()) {
        const Uuid uuid = drafts_.database().table(from.table).at(from.slot).uuid();
        if (drafts_.draft_of(from.table, uuid)) continue;  // cleaned or removed
        if (auto cleaned = clean_row(from.table, uuid); !cleaned) return cleaned;
      }
    }
    return {};
  }

 private:
  Result<void> clean_row(TableIndex table, const Uuid& uuid) {
    const auto& parts = drafts_.database().table(table).references().weak;
    for (const ReferencePart& part : parts) {
      const Row& row = *drafts_.find(table, uuid);
      const Draft* const draft = drafts_.draft_of(table, uuid);
      const Row* const before = draft ? draft->before.get() : &row;
      if (auto cleaned = clean_part(table, part, before, row); !cleaned) return cleaned;
    }
    return {};
  }

  /// References that the row has from before are dead if this transaction removed their row; new
  /// ones, if there is none.
  Result<void> clean_part(TableIndex table, const ReferencePart& part, const Row* before,
                          const Row& row) {
    std::vector<Uuid> dead;
    visit_reference_changes(
        part, before, &row, [](const Uuid&) {},
        [&](const Uuid& to) {
          if (!drafts_.find(part.target, to)) dead.push_back(to);
        });
    find_removed(part, row, dead);
    if (dead.empty()) return {};
    std::sort(dead.begin(), dead.end());

    const DatumView datum = row.view(part.column);
    Datum kept = set_difference(datum, keys_of(part, row, dead).view());
    if (kept.size() < drafts_.schema(table).column(part.column).type.n_min) {
      return too_small(table, part.column, row.uuid(), datum.size() - kept.size(),
                       dead.front().is_zero());
    }
    drafts_.modify(table, row.uuid()).set(part.column, std::move(kept));
    return {};
  }

  /// Which of the row's references lead to rows that this transaction removed.
  void find_removed(const ReferencePart& part, const Row& row, std::vector<Uuid>& dead) const {
    const std::span<const Uuid> removed = drafts_.removed_from(part.target);
    if (removed.empty()) return;
    const DatumView datum = row.view(part.column);
    if (!part.of_values && removed.size() < datum.size()) {
      for (const Uuid& uuid : removed) {
        if (datum.find(uuid)) dead.push_back(uuid);
      }
      return;
    }
    part.for_each_uuid(&row, [&](const Uuid& uuid) {
      const Draft* const target = drafts_.draft_of(part.target, uuid);
      if (target && target->deleted()) dead.push_back(uuid);
    });
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
};

}  // namespace

Result<void> clean_weak_references(Drafts& drafts) { return WeakReferences(drafts).clean(); }

}  // namespace tandem
