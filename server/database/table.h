#pragma once

// The live rows of one table. Rows stand in slots, slots in chunks of 128; chunks are shared with
// snapshots and copied before they change while a snapshot holds them. Beside each slot stand the
// number of strong references to its row and the rows that refer to it weakly. Rows may be loaded
// in any order, and what another server or the log hands us may refer to rows that never come; so a
// slot is made for a UUID as soon as anything refers to it, and stays while anything does: counts
// are right at any time and in any order, and the row fills its slot when it comes.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <vector>

#include "server/database/references.h"
#include "server/database/referrers.h"
#include "server/database/snapshot.h"
#include "server/database/unique_index.h"

namespace tandem {

/// Owned by the writer; only snapshots leave its thread.
class Table {
 public:
  explicit Table(const TableSchema& schema);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableSchema& schema() const { return schema_; }
  const ReferenceParts& references() const { return references_; }
  std::size_t size() const { return size_; }
  TableSnapshot snapshot() const { return {chunks_, size_}; }
  void reserve(std::size_t rows);

  /// The row, or null. Valid until the row changes.
  const RowRef* find(const Uuid& uuid) const;
  /// The row in a slot. Requires that there is one.
  const Row& at(Slot slot) const {
    return *chunks_[slot / RowChunk::kRows]->rows[slot % RowChunk::kRows];
  }

  template <class F>  // void(const Row&)
  void for_each(F&& f) const {
    for (const ChunkRef& chunk : chunks_) {
      for (const RowRef& row : chunk->rows) {
        if (row) f(*row);
      }
    }
  }

  // Rows. Indexes are kept apart, because the keys of several rows change at once.

  /// Inserts the row, or puts it in the place of its older version. Returns its slot.
  Slot put(RowRef row);
  /// Requires that the row is there and refers to nothing any more.
  void erase(const Uuid& uuid);
  /// Requires that the row is there.
  Slot slot_of(const Uuid& uuid) const { return slots_.find(uuid)->second; }

  // References to rows of this table.

  std::uint32_t strong_references(const Uuid& uuid) const;
  /// UUIDs that strong references lead to though no row has them.
  std::size_t dangling() const { return dangling_; }
  void add_strong_reference(const Uuid& uuid);
  void remove_strong_reference(const Uuid& uuid);
  /// Null when there are none.
  const Referrers* weak_referrers(const Uuid& uuid) const;
  void add_weak_reference(const Uuid& uuid, const Referrer& from);
  void remove_weak_reference(const Uuid& uuid, const Referrer& from);

  // Indexes, in the schema's order.

  const std::deque<UniqueIndex>& indexes() const { return indexes_; }
  /// Between two versions of a row, null where there is none: takes out the keys that cease, puts
  /// in those that begin.
  void erase_index_keys(const Row* before, const Row* after);
  void insert_index_keys(const Row* before, const Row* after);
  /// Every index holds every row: no two rows have equal values in its columns.
  bool is_unique() const;

 private:
  RowRef& writable(Slot slot);
  bool holds_row(Slot slot) const {
    return chunks_[slot / RowChunk::kRows]->rows[slot % RowChunk::kRows] != nullptr;
  }
  Slot slot_for(const Uuid& uuid);
  /// Frees the slot unless it holds a row or something refers to it.
  void release(const Uuid& uuid, Slot slot);

  const TableSchema& schema_;
  const ReferenceParts references_;
  std::vector<ChunkRef> chunks_;
  boost::unordered_flat_map<Uuid, Slot> slots_;
  std::vector<Slot> free_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> strong_;  // by slot
  std::size_t dangling_ = 0;           // slots with strong references and without a row
  std::vector<Referrers>
      weak_;  // by slot; as long as the greatest slot that was ever referred to weakly
  std::deque<UniqueIndex> indexes_;  // a deque: they do not move
};

}  // namespace tandem
