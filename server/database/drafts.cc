#include "server/database/drafts.h"

#include <algorithm>
#include <cassert>
#include <numeric>

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

bool Drafts::has_any_of(TableIndex table) const {
  if (drafts_.size() > kFew) return !numbers_of(table).empty();
  return std::any_of(drafts_.begin(), drafts_.end(),
                     [&](const Draft& draft) { return draft.table == table; });
}

Draft& Drafts::touch(TableIndex table, const Uuid& uuid) {
  const auto [at, fresh] =
      number_of_.try_emplace(Key{uuid, table}, static_cast<std::uint32_t>(drafts_.size()));
  if (fresh) drafts_.push_back({table, uuid, nullptr, nullptr});
  if (!lookups_.empty()) touches_.push_back(at->second);
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
}

const Drafts::Numbers& Drafts::numbers_of(TableIndex table) const {
  for (; grouped_ < drafts_.size(); ++grouped_)
    by_table_[drafts_[grouped_].table].push_back(grouped_);
  return by_table_[table];
}

const Drafts::Numbers& Drafts::numbers_with(TableIndex table, const UniqueIndex& index,
                                            const IndexKey& key) const {
  if (lookups_.empty()) {
    touches_.resize(drafts_.size());
    std::iota(touches_.begin(), touches_.end(), 0U);
  }
  Lookup& lookup = lookups_[&index];
  for (; lookup.seen < touches_.size(); ++lookup.seen) {
    const std::uint32_t number = touches_[lookup.seen];
    const Draft& draft = drafts_[number];
    if (draft.table == table && draft.after)
      lookup.numbers[index.hash(*draft.after)].push_back(number);
  }
  const std::size_t hash = index.hash(key);
  Numbers& numbers = lookup.numbers[hash];
  std::erase_if(numbers, [&](std::uint32_t number) {
    return !drafts_[number].after || index.hash(*drafts_[number].after) != hash;
  });
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

}  // namespace tandem
