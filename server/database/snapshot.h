#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <vector>

#include "protocol/row.h"

namespace tandem {

/// A fixed-size run of row slots of one table, some of them empty. Shared between the live table
/// and snapshots; the writer copies a chunk before changing it while a snapshot holds it.
struct RowChunk {
  static constexpr std::size_t kRows = 128;
  RowRef rows[kRows];
  std::atomic<std::uint32_t> refs{0};
};
inline void intrusive_ptr_add_ref(const RowChunk* c) noexcept {
  const_cast<RowChunk*>(c)->refs.fetch_add(1, std::memory_order_relaxed);
}
inline void intrusive_ptr_release(const RowChunk* c) noexcept {
  if (const_cast<RowChunk*>(c)->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete c;
}
using ChunkRef = boost::intrusive_ptr<const RowChunk>;

/// All rows of one table at one moment. Cheap to copy; any thread may read it.
class TableSnapshot {
 public:
  TableSnapshot() = default;
  TableSnapshot(std::vector<ChunkRef> chunks, std::size_t rows)
      : chunks_(std::move(chunks)), rows_(rows) {}

  std::size_t size() const { return rows_; }
  const std::vector<ChunkRef>& chunks() const { return chunks_; }

  template <class F>  // void(const Row&)
  void for_each(F&& f) const {
    for (const ChunkRef& chunk : chunks_)
      for (const RowRef& row : chunk->rows)
        if (row) f(*row);
  }

 private:
  std::vector<ChunkRef> chunks_;
  std::size_t rows_ = 0;
};

/// A whole database at one moment.
struct Snapshot {
  SchemaRef schema;
  std::vector<TableSnapshot> tables;  ///< by table index
};

}  // namespace tandem
