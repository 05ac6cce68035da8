#include "protocol/datum_pieces.h"

#include <utility>

namespace tandem {

// The list.

void PieceList::add(Datum piece) {
  const auto end = static_cast<std::uint32_t>(size() + piece.size());
  const auto bytes = static_cast<std::uint32_t>(this->bytes() + piece.heap_bytes());
  pieces_.push_back({std::move(piece), end, bytes});
}

void PieceList::share(std::span<const DatumPiece> pieces) {
  if (pieces.empty()) return;
  // Both may be "negative": they wrap.
  const DatumPiece& first = pieces.front();
  const auto shift = static_cast<std::uint32_t>(size() - (first.end - first.datum.size()));
  const auto more = static_cast<std::uint32_t>(bytes() - (first.bytes - first.datum.heap_bytes()));
  pieces_.reserve(pieces_.size() + pieces.size());
  for (const DatumPiece& piece : pieces)
    pieces_.push_back({piece.datum, piece.end + shift, piece.bytes + more});
}

Datum PieceList::take_last() {
  Datum piece = std::move(pieces_.back().datum);
  pieces_.pop_back();
  return piece;
}

Datum PieceList::finish() {
  if (pieces_.size() == 1) return take_last();
  return Datum(DatumBlock::make_list(pieces_));
}

// The splicer.

std::size_t DatumSplicer::text_of(const DatumView& from, std::size_t begin, std::size_t end) {
  const std::size_t keys = DatumColumn::keys(from).text_bytes(begin, end);
  return from.is_map() ? keys + DatumColumn::values(from).text_bytes(begin, end) : keys;
}

bool DatumSplicer::joins(const DatumView& neighbour) const {
  const std::size_t n = neighbour.size();
  return PieceLimits::are_few(size_, text_) &&
         PieceLimits::fit(size_ + n, text_ + text_of(neighbour, 0, n));
}

void DatumSplicer::take_back_last() {
  held_.push_back(list_.take_last());
  const DatumView last = held_.back().view();
  size_ += last.size();
  text_ += text_of(last, 0, last.size());
  ranges_.insert(ranges_.begin(), {last, 0, last.size()});
}

void DatumSplicer::share(const DatumView& from, std::size_t begin, std::size_t end) {
  if (begin == end) return;
  if (!from.is_list()) return append(from, 0, from.size());
  if (ranges_.empty() && !list_.empty()) {
    const DatumView last = list_.last().view();
    const DatumView next = from.piece(begin);
    const std::size_t text = text_of(last, 0, last.size());
    if (PieceLimits::are_few(last.size(), text) &&
        PieceLimits::fit(last.size() + next.size(), text + text_of(next, 0, next.size()))) {
      take_back_last();
    }
  }
  while (begin < end && size_ > 0 && joins(from.piece(begin))) {
    const DatumView next = from.piece(begin++);
    append(next, 0, next.size());
  }
  flush();
  list_.share(DatumColumn::pieces(from).subspan(begin, end - begin));
}

void DatumSplicer::flush() {
  if (size_ > 0 && !list_.empty() && joins(list_.last().view())) take_back_last();
  if (size_ == 0) return;
  if (PieceLimits::fit(size_, text_)) {
    list_.add(join(ranges_));
  } else {
    cut();
  }
  ranges_.clear();
  size_ = 0;
  text_ = 0;
}

void DatumSplicer::cut() {
  PieceCutter cutter(size_);
  boost::container::small_vector<Range, 8> piece;
  for (const Range& range : ranges_) {
    std::size_t begin = range.begin;
    for (std::size_t i = begin; i < range.end; ++i) {
      if (!cutter.ends_with(text_of(range.from, i, i + 1))) continue;
      piece.push_back({range.from, begin, i + 1});
      list_.add(join(piece));
      piece.clear();
      begin = i + 1;
    }
    if (begin < range.end) piece.push_back({range.from, begin, range.end});
  }
  if (!piece.empty()) list_.add(join(piece));
}

Datum DatumSplicer::finish() {
  if (list_.empty() && PieceLimits::fit(size_, text_)) return join(ranges_);
  flush();
  return list_.finish();
}

Datum DatumSplicer::join(std::span<const Range> ranges) const {
  const bool map = like_.is_map();
  const auto value_type = map ? std::optional(like_.value_type()) : std::nullopt;
  std::size_t n = 0;
  std::size_t key_text = 0;
  std::size_t value_text = 0;
  for (const Range& range : ranges) {
    n += range.end - range.begin;
    key_text += DatumColumn::keys(range.from).text_bytes(range.begin, range.end);
    if (map) value_text += DatumColumn::values(range.from).text_bytes(range.begin, range.end);
  }
  const std::size_t key_bytes = n * width(like_.key_type()) + key_text;
  const std::size_t value_offset = map ? round_up(key_bytes) : 0;
  const std::size_t bytes = map ? value_offset + n * width(*value_type) + value_text : key_bytes;
  DatumBlock::Ref block = DatumBlock::make(like_.key_type(), value_type, n, value_offset, bytes);
  ColumnWriter keys(block->payload(), n);
  for (const Range& range : ranges) {
    keys.put(DatumColumn::keys(range.from), range.begin, range.end);
  }
  if (map) {
    ColumnWriter values(block->payload() + value_offset, n);
    for (const Range& range : ranges) {
      values.put(DatumColumn::values(range.from), range.begin, range.end);
    }
  }
  return Datum(std::move(block));
}

}  // namespace tandem
