#include <fmt/core.h>

#include <boost/unordered/unordered_flat_map.hpp>

#include "server/database/commit_check.h"

// The database keeps how many strong references lead to each row. A transaction's drafts change
// that by a few; only rows whose count changed, rows that were removed and rows that are new can
// break a rule or become garbage. A removed row takes its own references along, which may make more
// garbage; cycles keep themselves, as in ovsdb-server.

namespace tandem {
namespace {

struct Target {
  TableIndex table;
  Uuid uuid;
  bool operator==(const Target&) const = default;
  friend std::size_t hash_value(const Target& target) noexcept {
    return hash_value(target.uuid) + target.table;
  }
};

class StrongReferences {
 public:
  explicit StrongReferences(Drafts& drafts) : drafts_(drafts) {}

  Result<void> settle() {
    for (const Draft& draft : drafts_.all()) {
      if (auto counted = count(draft); !counted) return counted;
    }
    if (auto checked = check_removed(); !checked) return checked;
    collect_garbage();
    return {};
  }

 private:
  bool exists(TableIndex table, const Uuid& uuid) const {
    const Draft* const draft = drafts_.draft_of(table, uuid);
    // A removed row counts here: that something refers to it is the next rule's case.
    if (draft) return draft->before || draft->after;
    return drafts_.database().table(table).find(uuid) != nullptr;
  }

  Result<void> count(const Draft& draft) {
    const Row* const before = draft.before.get();
    const Row* const after = draft.after.get();
    for (const ReferencePart& part : drafts_.database().table(draft.table).references().strong) {
      std::optional<Uuid> missing;
      // A row does not hold itself.
      const auto counts = [&](const Uuid& to) {
        return part.target != draft.table || to != draft.uuid;
      };
      visit_reference_changes(
          part, before, after,
          [&](const Uuid& to) {
            if (!counts(to)) return;
            change_[{part.target, to}]--;
            lost_.push_back({part.target, to});
          },
          [&](const Uuid& to) {
            if (!counts(to)) return;
            change_[{part.target, to}]++;
            if (!missing && !exists(part.target, to)) missing = to;
          });
      if (missing) return nonexistent(draft, part, *missing);
    }
    return {};
  }

  Error nonexistent(const Draft& draft, const ReferencePart& part, const Uuid& to) const {
    const TableSchema& schema = drafts_.schema(draft.table);
    return Error{"referential integrity violation",
                 fmt::format("Table {} column {} row {} references nonexistent row {} in table {}.",
                             schema.name, schema.column(part.column).name, draft.uuid.to_string(),
                             to.to_string(), drafts_.schema(part.target).name),
                 {}};
  }

  std::int64_t references_to(const Target& target) const {
    const auto found = change_.find(target);
    const std::int64_t change = found == change_.end() ? 0 : found->second;
    return drafts_.database().table(target.table).strong_references(target.uuid) + change;
  }

  Result<void> check_removed() const {
    for (const Draft& draft : drafts_.all()) {
      if (!draft.deleted()) continue;
      const std::int64_t left = references_to({draft.table, draft.uuid});
      if (left == 0) continue;
      return Error{"referential integrity violation",
                   fmt::format("cannot delete {} row {} because of {} remaining reference(s)",
                               drafts_.schema(draft.table).name, draft.uuid.to_string(), left),
                   {}};
    }
    return {};
  }

  void collect_garbage() {
    for (std::size_t i = 0, n = drafts_.size(); i < n; i++) {
      if (drafts_[i].inserted()) remove_if_garbage({drafts_[i].table, drafts_[i].uuid});
    }
    while (!lost_.empty()) {
      const Target target = lost_.back();
      lost_.pop_back();
      remove_if_garbage(target);
    }
  }

  void remove_if_garbage(const Target& target) {
    if (drafts_.schema(target.table).is_root) return;
    const Row* const row = drafts_.find(target.table, target.uuid);
    if (!row || references_to(target) != 0) return;
    for (const ReferencePart& part : drafts_.database().table(target.table).references().strong) {
      visit_reference_changes(
          part, row, nullptr,
          [&](const Uuid& to) {
            if (part.target == target.table && to == target.uuid) return;
            change_[{part.target, to}]--;
            lost_.push_back({part.target, to});
          },
          [](const Uuid&) {});
    }
    drafts_.remove(target.table, target.uuid);
  }

  Drafts& drafts_;
  boost::unordered_flat_map<Target, std::int64_t> change_;  // in the number of references to a row
  std::vector<Target> lost_;                                // rows to which a reference ended
};

}  // namespace

Result<void> settle_strong_references(Drafts& drafts) { return StrongReferences(drafts).settle(); }

}  // namespace tandem
