#include "server/database/drafts.h"

#include <cassert>

namespace tandem {

const Draft* Drafts::draft_of(TableIndex table, const Uuid& uuid) const {
  if (drafts_.empty()) return nullptr;
  const auto found = number_of_.find(Key{uuid, table});
  return found == number_of_.end() ? nullptr : &drafts_[found->second];
}

const Row* Drafts::find(TableIndex table, const Uuid& uuid) const {
  if (const Draft* const draft = draft_of(table, uuid)) return draft->after.get();
  const RowRef* const row = database_.table(table).find(uuid);
  return row ? row->get() : nullptr;
}

Draft& Drafts::touch(TableIndex table, const Uuid& uuid) {
  const auto [at, fresh] =
      number_of_.try_emplace(Key{uuid, table}, static_cast<std::uint32_t>(drafts_.size()));
  if (fresh) drafts_.push_back({table, uuid, nullptr, nullptr});
  return drafts_[at->second];
}

void Drafts::insert(TableIndex table, RowDraft row) {
  // A row that this transaction inserted and removed again may come back; its draft is still there.
  Draft& draft = touch(table, row->uuid());
  assert(!draft.before && !draft.after && "An inserted row is new.");
  draft.after = std::move(row);
}

Row& Drafts::modify(TableIndex table, const Uuid& uuid) {
  Draft& draft = touch(table, uuid);
  if (!draft.after) {
    const RowRef* const row = database_.table(table).find(uuid);
    assert(row && !draft.before && "A modified row is there.");
    draft.before = *row;
    draft.after = Row::clone(**row);
  }
  return *draft.after;
}

void Drafts::remove(TableIndex table, const Uuid& uuid) {
  Draft& draft = touch(table, uuid);
  if (!draft.after) {
    const RowRef* const row = database_.table(table).find(uuid);
    assert(row && !draft.before && "A removed row is there.");
    draft.before = *row;
  }
  draft.after.reset();
  if (!draft.before) return;
  if (table >= removed_from_.size()) removed_from_.resize(table + 1);
  removed_from_[table].push_back(draft.uuid);
}

}  // namespace tandem
