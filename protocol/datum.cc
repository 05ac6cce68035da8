#include "protocol/datum.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <new>

#include "protocol/datum_block.h"

namespace tandem {

// Views.

AtomView DatumView::atom(AtomicType type, const std::byte* base, std::size_t i) const {
  assert(i < size_ && "An atom is read within the datum.");
  switch (type) {
    case AtomicType::kInteger:
      return read_at<std::int64_t>(base, i);
    case AtomicType::kReal:
      return read_at<double>(base, i);
    case AtomicType::kBoolean:
      return read_at<bool>(base, i);
    case AtomicType::kString:
      return DatumColumn{type, base, size_}.string(i);
    case AtomicType::kUuid:
      return read_at<Uuid>(base, i);
  }
  return {};
}

std::size_t DatumView::search(const AtomView& wanted, std::size_t low, std::size_t high) const {
  assert(type_of(wanted) == key_type_ && "A key is searched among keys of its type.");
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (compare(key(middle), wanted) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::size_t DatumView::lower_bound(const AtomView& wanted, std::size_t begin) const {
  std::size_t low = begin;
  std::size_t high = begin;
  for (std::size_t step = 1; high < size_ && compare(key(high), wanted) < 0; step *= 4) {
    low = high + 1;
    high += step;
  }
  return search(wanted, low, std::min<std::size_t>(high, size_));
}

std::optional<std::size_t> DatumView::find(const AtomView& wanted) const {
  if (list_) {
    const std::size_t k = piece_of(wanted, 0);
    const auto pieces = DatumColumn::pieces(*this);
    const auto at = pieces[k].datum.view().find(wanted);
    return at && k > 0 ? std::optional(pieces[k - 1].end + *at) : at;
  }
  const std::size_t at = search(wanted, 0, size_);
  return at < size_ && compare(key(at), wanted) == 0 ? std::optional(at) : std::nullopt;
}

DatumView DatumView::of_uuid(const Uuid& uuid) {
  DatumView view;
  view.keys_ = reinterpret_cast<const std::byte*>(&uuid);
  view.size_ = 1;
  view.key_type_ = AtomicType::kUuid;
  return view;
}

// Views of lists.

std::size_t DatumView::listed_pieces() const { return DatumColumn::pieces(*this).size(); }

DatumView DatumView::listed_piece(std::size_t k) const {
  return DatumColumn::pieces(*this)[k].datum.view();
}

namespace {

/// The piece with element i of a list, and where that stands in it.
std::pair<DatumView, std::size_t> locate(std::span<const DatumPiece> pieces, std::size_t i) {
  const auto at = std::upper_bound(pieces.begin(), pieces.end(), i,
                                   [](std::size_t n, const DatumPiece& p) { return n < p.end; });
  const DatumView piece = at->datum.view();
  return {piece, i - (at->end - piece.size())};
}

}  // namespace

AtomView DatumView::listed_key(std::size_t i) const {
  const auto [piece, at] = locate(DatumColumn::pieces(*this), i);
  return piece.key(at);
}

AtomView DatumView::listed_value(std::size_t i) const {
  const auto [piece, at] = locate(DatumColumn::pieces(*this), i);
  return piece.value(at);
}

std::size_t DatumView::piece_of(const AtomView& wanted, std::size_t begin) const {
  if (!list_) return begin;
  const auto pieces = DatumColumn::pieces(*this).subspan(begin + 1);
  const auto greater = std::upper_bound(pieces.begin(), pieces.end(), wanted,
                                        [](const AtomView& key, const DatumPiece& piece) {
                                          return compare(key, piece.datum.view().key(0)) < 0;
                                        });
  return begin + static_cast<std::size_t>(greater - pieces.begin());
}

// Blocks.

DatumBlock::Ref DatumBlock::make_list(std::span<DatumPiece> pieces) {
  const DatumView first = pieces.front().datum.view();
  Ref list =
      make(first.key_type(), first.is_map() ? std::optional(first.value_type()) : std::nullopt,
           pieces.back().end, pieces.size_bytes(), pieces.size_bytes());
  list->list = true;
  std::uninitialized_move(pieces.begin(), pieces.end(),
                          reinterpret_cast<DatumPiece*>(list->payload()));
  return list;
}

void intrusive_ptr_add_ref(const DatumBlock* block) noexcept {
  if (block->refs.load(std::memory_order_relaxed) < DatumBlock::kImmortal)
    block->refs.fetch_add(1, std::memory_order_relaxed);
}

/// Apart, so that the end of all other blocks saves no registers.
[[gnu::noinline]] static void free_list(const DatumBlock* block) noexcept {
  std::destroy(block->pieces().begin(), block->pieces().end());
  ::operator delete(const_cast<DatumBlock*>(block));
}

void intrusive_ptr_release(const DatumBlock* block) noexcept {
  if (block->refs.load(std::memory_order_relaxed) >= DatumBlock::kImmortal) return;
  if (block->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (block->list) [[unlikely]]
    return free_list(block);
  ::operator delete(const_cast<DatumBlock*>(block));
}

// Datums.

DatumView Datum::view() const {
  assert(block_ && "A null datum has no view.");
  DatumView view;
  view.keys_ = block_->payload();
  if (block_->map || block_->list) view.values_ = view.keys_ + block_->value_offset;
  view.size_ = block_->size;
  view.key_type_ = block_->key_type;
  view.value_type_ = block_->value_type;
  view.map_ = block_->map;
  view.list_ = block_->list;
  return view;
}

Datum Datum::of(const AtomView& atom) {
  const AtomicType type = type_of(atom);
  DatumBlock::Ref block = DatumBlock::make(type, {}, 1, 0, width(type) + text_bytes(atom));
  ColumnWriter(block->payload(), 1).put(atom);
  return Datum(std::move(block));
}

void Datum::make_immortal() {
  block_->refs.store(DatumBlock::kImmortal, std::memory_order_relaxed);
}

std::size_t Datum::heap_bytes() const {
  if (!block_) return 0;
  const std::size_t bytes = sizeof(DatumBlock);
  if (block_->list) return bytes + block_->value_offset + block_->pieces().back().bytes;
  if (block_->map) return bytes + block_->value_offset + DatumColumn::values(view()).bytes();
  return bytes + DatumColumn::keys(view()).bytes();
}

}  // namespace tandem
