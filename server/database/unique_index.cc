#include "server/database/unique_index.h"

#include <cstdint>

namespace tandem {

template <class View>
std::size_t UniqueIndex::key_hash(View&& view) const {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < columns_.size(); i++) {
    hash = (hash ^ view(i).hash()) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 32;
  }
  return hash;
}

std::size_t UniqueIndex::hash(const Row& row) const {
  return key_hash([&](std::size_t i) { return row.view(columns_[i]); });
}

std::size_t UniqueIndex::hash(const IndexKey& key) const {
  return key_hash([&](std::size_t i) { return key[i]; });
}

bool UniqueIndex::same_key(const Row& a, const Row& b) const {
  for (const ColumnIndex column : columns_) {
    if (column >= kFirstOwnColumn && a.datum(column).same(b.datum(column))) continue;
    if (!(a.view(column) == b.view(column))) return false;
  }
  return true;
}

bool UniqueIndex::has_key(const Row& row, const IndexKey& key) const {
  for (std::size_t i = 0; i < columns_.size(); i++) {
    if (!(row.view(columns_[i]) == key[i])) return false;
  }
  return true;
}

void UniqueIndex::insert(const Row& row) { entries_.insert(Entry{hash(row), &row}); }

void UniqueIndex::erase(const Row& row) {
  const auto found = entries_.find(Entry{hash(row), &row});
  if (found != entries_.end() && found->row == &row) entries_.erase(found);
}

void UniqueIndex::replace(const Row& before, const Row& after) {
  const auto found = entries_.find(Entry{hash(before), &before});
  if (found != entries_.end() && found->row == &before) found->row = &after;
}

const Row* UniqueIndex::find(const Row& like) const {
  const auto found = entries_.find(Entry{hash(like), &like});
  return found == entries_.end() ? nullptr : found->row;
}

const Row* UniqueIndex::find(const IndexKey& key) const {
  const auto found = entries_.find(Probe{hash(key), &key});
  return found == entries_.end() ? nullptr : found->row;
}

}  // namespace tandem
