#include <algorithm>
#include <cassert>

#include "protocol/datum_pieces.h"

namespace tandem {

DatumBuilder::DatumBuilder(AtomicType key_type, std::optional<AtomicType> value_type)
    : key_type_(key_type), value_type_(value_type) {}

void DatumBuilder::restart(AtomicType key_type, std::optional<AtomicType> value_type) {
  key_type_ = key_type;
  value_type_ = value_type;
  elements_.clear();
}

void DatumBuilder::reserve(std::size_t n) { elements_.reserve(n); }

void DatumBuilder::add(const AtomView& key) {
  assert(type_of(key) == key_type_ && !value_type_ && "A set gets keys of its type.");
  elements_.push_back({key, {}});
}

void DatumBuilder::add(const AtomView& key, const AtomView& value) {
  assert(type_of(key) == key_type_ && value_type_ == type_of(value) &&
         "A map gets pairs of its types.");
  elements_.push_back({key, value});
}

void DatumBuilder::sort() {
  const auto less = [](const Element& a, const Element& b) { return compare(a.key, b.key) < 0; };
  if (!std::is_sorted(elements_.begin(), elements_.end(), less)) {
    std::stable_sort(elements_.begin(), elements_.end(), less);
  }
}

std::optional<Datum> DatumBuilder::build() {
  const std::size_t n = elements_.size();
  if (n > 1) {
    sort();
    const auto same = [](const Element& a, const Element& b) { return compare(a.key, b.key) == 0; };
    if (std::adjacent_find(elements_.begin(), elements_.end(), same) != elements_.end())
      return std::nullopt;
  }
  const Text text = text_of(elements_);
  const bool large =
      n > PieceLimits::kMostElements || text.keys + text.values > PieceLimits::kMostText;
  if (large && bytes_of(n, text) > Datum::kMaxBytes) return std::nullopt;
  return make_pieces(text);
}

Datum DatumBuilder::build_unique() {
  sort();
  const auto same = [](const Element& a, const Element& b) { return compare(a.key, b.key) == 0; };
  elements_.erase(std::unique(elements_.begin(), elements_.end(), same), elements_.end());
  return build_sorted();
}

Datum DatumBuilder::build_sorted() const { return make_pieces(text_of(elements_)); }

/// One block, or several if that would be a large one.
Datum DatumBuilder::make_pieces(Text text) const {
  const std::size_t n = elements_.size();
  if (PieceLimits::fit(n, text.keys + text.values)) return make(elements_, text);
  PieceList list;
  PieceCutter cutter(n);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Element& element = elements_[i];
    const bool ends = cutter.ends_with(text_bytes(element.key) + text_bytes(element.value));
    if (!ends && i + 1 < n) continue;
    const auto piece = std::span(elements_).subspan(begin, i + 1 - begin);
    list.add(make(piece, text_of(piece)));
    begin = i + 1;
  }
  return list.finish();
}

DatumBuilder::Text DatumBuilder::text_of(std::span<const Element> elements) {
  Text text;
  for (const Element& element : elements) {
    text.keys += text_bytes(element.key);
    text.values += text_bytes(element.value);
  }
  return text;
}

std::size_t DatumBuilder::bytes_of(std::size_t n, Text text) const {
  const std::size_t keys = n * width(key_type_) + text.keys;
  return value_type_ ? round_up(keys) + n * width(*value_type_) + text.values : keys;
}

Datum DatumBuilder::make(std::span<const Element> elements, Text text) const {
  const std::size_t n = elements.size();
  const std::size_t key_bytes = n * width(key_type_) + text.keys;
  const std::size_t value_offset = value_type_ ? round_up(key_bytes) : 0;
  DatumBlock::Ref block =
      DatumBlock::make(key_type_, value_type_, n, value_offset, bytes_of(n, text));
  ColumnWriter keys(block->payload(), n);
  for (const Element& element : elements) keys.put(element.key);
  if (value_type_) {
    ColumnWriter values(block->payload() + value_offset, n);
    for (const Element& element : elements) values.put(element.value);
  }
  return Datum(std::move(block));
}

}  // namespace tandem
