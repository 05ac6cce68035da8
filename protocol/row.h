#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>

#include "protocol/schema.h"

namespace tandem {

class Row;
/// A row version that nobody changes any more; shared by all threads.
using RowRef = boost::intrusive_ptr<const Row>;
/// A row version that one transaction is still building; becomes a RowRef when it is committed.
using RowDraft = boost::intrusive_ptr<Row>;

/// One version of a row: UUID, version, and the datums of the table's own columns in one block. A
/// change copies the block (8 bytes a column) and shares the datums it did not touch.
class Row {
 public:
  /// All columns at their defaults, _version zero.
  static RowDraft create(const TableSchema& table, const Uuid& uuid);
  /// A draft that shares all datums with `base`.
  static RowDraft clone(const Row& base);

  const Uuid& uuid() const { return uuid_; }
  const Uuid& version() const { return version_; }
  std::size_t own_columns() const { return n_; }

  /// Any column, pseudo columns included.
  DatumView view(ColumnIndex column) const {
    if (column == kUuidColumn) return DatumView::of_uuid(uuid_);
    if (column == kVersionColumn) return DatumView::of_uuid(version_);
    return own()[column - kFirstOwnColumn].view();
  }
  /// Requires an own column.
  const Datum& datum(ColumnIndex column) const { return own()[column - kFirstOwnColumn]; }

  // On drafts only.
  void set(ColumnIndex column, Datum datum) { own()[column - kFirstOwnColumn] = std::move(datum); }
  void set_version(const Uuid& version) { version_ = version; }

  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

 private:
  Row(const Uuid& uuid, std::uint32_t n) : n_(n), uuid_(uuid) {}
  ~Row() = default;
  friend void intrusive_ptr_add_ref(const Row* row) noexcept;
  friend void intrusive_ptr_release(const Row* row) noexcept;
  const Datum* own() const { return reinterpret_cast<const Datum*>(this + 1); }
  Datum* own() { return reinterpret_cast<Datum*>(this + 1); }

  mutable std::atomic<std::uint32_t> refs_{0};
  std::uint32_t n_;
  Uuid uuid_;
  Uuid version_;
};

void intrusive_ptr_release(const Row* row) noexcept;
inline void intrusive_ptr_add_ref(const Row* row) noexcept {
  row->refs_.fetch_add(1, std::memory_order_relaxed);
}

/// One row of a commit: null `before` is an insert, null `after` a delete.
struct RowChange {
  TableIndex table = 0;
  RowRef before;
  RowRef after;

  const Uuid& uuid() const { return after ? after->uuid() : before->uuid(); }
};

}  // namespace tandem
