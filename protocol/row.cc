#include "protocol/row.h"

#include <cassert>
#include <memory>
#include <new>

namespace tandem {

static_assert(sizeof(Row) % alignof(Datum) == 0, "The datums follow the row in the same block.");

RowDraft Row::create(const TableSchema& table, const Uuid& uuid) {
  const std::size_t n = table.own_columns();
  void* const block = ::operator new(sizeof(Row) + n * sizeof(Datum));
  Row* const row = new (block) Row(uuid, static_cast<std::uint32_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    new (row->own() + i) Datum(table.columns[kFirstOwnColumn + i].default_value);
  }
  return RowDraft(row);
}

RowDraft Row::clone(const Row& base) {
  void* const block = ::operator new(sizeof(Row) + base.n_ * sizeof(Datum));
  Row* const row = new (block) Row(base.uuid_, base.n_);
  row->version_ = base.version_;
  std::uninitialized_copy_n(base.own(), base.n_, row->own());
  return RowDraft(row);
}

void intrusive_ptr_release(const Row* row) noexcept {
  if (row->refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  auto* const dead = const_cast<Row*>(row);
  std::destroy_n(dead->own(), dead->n_);
  dead->~Row();
  ::operator delete(dead);
}

}  // namespace tandem
