#include "server/database/table.h"

#include <algorithm>
#include <cassert>

namespace tandem {

Table::Table(const TableSchema& schema) : schema_(schema), references_(ReferenceParts::of(schema)) {
  for (const auto& columns : schema.indexes) indexes_.emplace_back(columns);
}

void Table::reserve(std::size_t rows) {
  slots_.reserve(rows);
  for (UniqueIndex& index : indexes_) index.reserve(rows);
}

const RowRef* Table::find(const Uuid& uuid) const {
  const auto found = slots_.find(uuid);
  if (found == slots_.end()) return nullptr;
  const RowRef& row =
      chunks_[found->second / RowChunk::kRows]->rows[found->second % RowChunk::kRows];
  return row ? &row : nullptr;
}

Slot Table::put(RowRef row) {
  const Slot slot = slot_for(row->uuid());
  RowRef& place = writable(slot);
  if (!place) {
    size_++;
    if (strong_[slot] > 0) dangling_--;
  }
  place = std::move(row);
  return slot;
}

void Table::erase(const Uuid& uuid) {
  const Slot slot = slot_of(uuid);
  writable(slot).reset();
  size_--;
  if (strong_[slot] > 0) dangling_++;
  release(uuid, slot);
}

RowRef& Table::writable(Slot slot) {
  ChunkRef& chunk = chunks_[slot / RowChunk::kRows];
  // Only the writer makes references to a chunk, so a count of one cannot rise meanwhile.
  if (chunk->refs.load(std::memory_order_acquire) > 1) {
    auto copy = std::make_unique<RowChunk>();
    std::copy(std::begin(chunk->rows), std::end(chunk->rows), copy->rows);
    chunk = copy.release();
  }
  return const_cast<RowChunk&>(*chunk).rows[slot % RowChunk::kRows];
}

Slot Table::slot_for(const Uuid& uuid) {
  const auto [at, fresh] = slots_.try_emplace(uuid);
  if (!fresh) return at->second;
  if (free_.empty()) {
    at->second = static_cast<Slot>(strong_.size());
    if (strong_.size() % RowChunk::kRows == 0) chunks_.emplace_back(new RowChunk);
    strong_.push_back(0);
  } else {
    at->second = free_.back();
    free_.pop_back();
  }
  return at->second;
}

void Table::release(const Uuid& uuid, Slot slot) {
  if (holds_row(slot) || strong_[slot] > 0 || (slot < weak_.size() && !weak_[slot].empty())) return;
  slots_.erase(uuid);
  free_.push_back(slot);
}

std::uint32_t Table::strong_references(const Uuid& uuid) const {
  const auto found = slots_.find(uuid);
  return found == slots_.end() ? 0 : strong_[found->second];
}

void Table::add_strong_reference(const Uuid& uuid) {
  const Slot slot = slot_for(uuid);
  if (strong_[slot]++ == 0 && !holds_row(slot)) dangling_++;
}

void Table::remove_strong_reference(const Uuid& uuid) {
  const Slot slot = slot_of(uuid);
  assert(strong_[slot] > 0 && "A reference that is removed was counted.");
  if (--strong_[slot] > 0) return;
  if (!holds_row(slot)) dangling_--;
  release(uuid, slot);
}

const Referrers* Table::weak_referrers(const Uuid& uuid) const {
  const auto found = slots_.find(uuid);
  if (found == slots_.end() || found->second >= weak_.size()) return nullptr;
  const Referrers& referrers = weak_[found->second];
  return referrers.empty() ? nullptr : &referrers;
}

void Table::add_weak_reference(const Uuid& uuid, const Referrer& from) {
  const Slot slot = slot_for(uuid);
  if (slot >= weak_.size()) weak_.resize(slot + 1);
  weak_[slot].add(from);
}

void Table::remove_weak_reference(const Uuid& uuid, const Referrer& from) {
  const Slot slot = slot_of(uuid);
  assert(slot < weak_.size() && "A weak reference that is removed was listed.");
  weak_[slot].remove(from);
  if (weak_[slot].empty()) release(uuid, slot);
}

void Table::erase_index_keys(const Row* before, const Row* after) {
  if (!before) return;
  for (UniqueIndex& index : indexes_) {
    if (after && index.same_key(*before, *after)) {
      index.replace(*before, *after);
    } else {
      index.erase(*before);
    }
  }
}

void Table::insert_index_keys(const Row* before, const Row* after) {
  if (!after) return;
  for (UniqueIndex& index : indexes_) {
    if (!before || !index.same_key(*before, *after)) index.insert(*after);
  }
}

bool Table::is_unique() const {
  return std::all_of(indexes_.begin(), indexes_.end(),
                     [this](const UniqueIndex& index) { return index.size() == size_; });
}

}  // namespace tandem
