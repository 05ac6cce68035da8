#include "protocol/datum.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstring>
#include <functional>
#include <new>
#include <utility>

namespace tandem {

/// The head of the block; the payload follows: the keys, then at value_offset the values.
struct Datum::Rep {
  mutable std::atomic<std::uint32_t> refs;
  std::uint32_t size;
  std::uint32_t value_offset;  ///< in bytes from the payload's start, a multiple of 8
  AtomicType key_type;
  AtomicType value_type;
  bool map;

  const std::byte* payload() const { return reinterpret_cast<const std::byte*>(this + 1); }
  std::byte* payload() { return reinterpret_cast<std::byte*>(this + 1); }

  static boost::intrusive_ptr<const Rep> make(AtomicType key_type,
                                              std::optional<AtomicType> value_type,
                                              std::size_t size, std::size_t value_offset,
                                              std::size_t payload_bytes);
};

namespace {

/// A count that is never touched again. Half of the range above it: an add_ref that races with
/// make_immortal does no harm.
constexpr std::uint32_t kImmortal = 1U << 31;

using StringEnd = std::uint32_t;

/// The size of one atom; of a string: of its end offset.
constexpr std::size_t width(AtomicType type) {
  switch (type) {
    case AtomicType::kInteger:
      return sizeof(std::int64_t);
    case AtomicType::kReal:
      return sizeof(double);
    case AtomicType::kBoolean:
      return sizeof(bool);
    case AtomicType::kString:
      return sizeof(StringEnd);
    case AtomicType::kUuid:
      return sizeof(Uuid);
  }
  return 0;
}

template <class T>
T read(const std::byte* base, std::size_t i) {
  T value;
  std::memcpy(&value, base + i * sizeof(T), sizeof(T));
  return value;
}

std::string_view read_string(const std::byte* base, std::size_t n, std::size_t i) {
  const StringEnd begin = i == 0 ? 0 : read<StringEnd>(base, i - 1);
  const StringEnd end = read<StringEnd>(base, i);
  return {reinterpret_cast<const char*>(base + n * sizeof(StringEnd) + begin), end - begin};
}

/// Bytes that n atoms take.
std::size_t column_bytes(AtomicType type, const std::byte* base, std::size_t n) {
  const std::size_t fixed = n * width(type);
  return type == AtomicType::kString && n > 0 ? fixed + read<StringEnd>(base, n - 1) : fixed;
}

bool equal_columns(AtomicType type, const std::byte* a, const std::byte* b, std::size_t n) {
  if (type == AtomicType::kReal) {  // 0.0 equals -0.0
    for (std::size_t i = 0; i < n; ++i) {
      if (read<double>(a, i) != read<double>(b, i)) return false;
    }
    return true;
  }
  const std::size_t fixed = n * width(type);
  if (std::memcmp(a, b, fixed) != 0) return false;
  // Equal ends, so both have equally many bytes of text.
  return type != AtomicType::kString ||
         std::memcmp(a + fixed, b + fixed, read<StringEnd>(a, n - 1)) == 0;
}

std::size_t hash_column(AtomicType type, const std::byte* base, std::size_t n) {
  if (type == AtomicType::kReal) {
    std::size_t hash = n;
    for (std::size_t i = 0; i < n; ++i)
      hash = hash * 31 + std::hash<double>()(read<double>(base, i));
    return hash;
  }
  const auto* text = reinterpret_cast<const char*>(base);
  return std::hash<std::string_view>()({text, column_bytes(type, base, n)});
}

/// Writes atoms one after the other as a column.
class ColumnWriter {
 public:
  ColumnWriter(std::byte* base, std::size_t n)
      : at_(base), text_begin_(base + n * sizeof(StringEnd)), text_(text_begin_) {}

  void put(const AtomView& atom) {
    switch (type_of(atom)) {
      case AtomicType::kInteger:
        put_fixed(*std::get_if<std::int64_t>(&atom));
        break;
      case AtomicType::kReal:
        put_fixed(*std::get_if<double>(&atom));
        break;
      case AtomicType::kBoolean:
        put_fixed(*std::get_if<bool>(&atom));
        break;
      case AtomicType::kUuid:
        put_fixed(*std::get_if<Uuid>(&atom));
        break;
      case AtomicType::kString: {
        const std::string_view text = *std::get_if<std::string_view>(&atom);
        text_ = std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), text_);
        put_fixed(static_cast<StringEnd>(text_ - text_begin_));
        break;
      }
    }
  }

 private:
  template <class T>
  void put_fixed(const T& value) {
    std::memcpy(at_, &value, sizeof(T));
    at_ += sizeof(T);
  }
  std::byte* at_;
  std::byte* text_begin_;
  std::byte* text_;
};

std::size_t text_bytes(const AtomView& atom) {
  const auto* text = std::get_if<std::string_view>(&atom);
  return text ? text->size() : 0;
}

constexpr std::size_t round_up(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

}  // namespace

// Views.

AtomView DatumView::atom(AtomicType type, const std::byte* base, std::size_t i) const {
  assert(i < size_ && "An atom is read within the datum.");
  switch (type) {
    case AtomicType::kInteger:
      return read<std::int64_t>(base, i);
    case AtomicType::kReal:
      return read<double>(base, i);
    case AtomicType::kBoolean:
      return read<bool>(base, i);
    case AtomicType::kString:
      return read_string(base, size_, i);
    case AtomicType::kUuid:
      return read<Uuid>(base, i);
  }
  return {};
}

std::optional<std::size_t> DatumView::find(const AtomView& wanted) const {
  const std::size_t at = lower_bound(wanted);
  return at < size_ && compare(key(at), wanted) == 0 ? std::optional(at) : std::nullopt;
}

std::size_t DatumView::lower_bound(const AtomView& wanted, std::size_t begin) const {
  assert(type_of(wanted) == key_type_ && "A key is searched among keys of its type.");
  std::size_t low = begin;
  std::size_t high = size_;
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

DatumView DatumView::of_uuid(const Uuid& uuid) {
  DatumView view;
  view.keys_ = reinterpret_cast<const std::byte*>(&uuid);
  view.size_ = 1;
  view.key_type_ = AtomicType::kUuid;
  return view;
}

bool operator==(const DatumView& a, const DatumView& b) {
  if (a.size_ != b.size_ || a.key_type_ != b.key_type_ || a.map_ != b.map_) return false;
  if (a.map_ && a.value_type_ != b.value_type_) return false;
  if (a.size_ == 0 || (a.keys_ == b.keys_ && a.values_ == b.values_)) return true;
  return equal_columns(a.key_type_, a.keys_, b.keys_, a.size_) &&
         (!a.map_ || equal_columns(a.value_type_, a.values_, b.values_, a.size_));
}

std::size_t DatumView::hash() const {
  const std::size_t keys = hash_column(key_type_, keys_, size_);
  return map_ ? keys * 31 + hash_column(value_type_, values_, size_) : keys;
}

std::strong_ordering compare(const DatumView& a, const DatumView& b) {
  if (const auto order = a.size() <=> b.size(); order != 0) return order;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const auto order = compare(a.key(i), b.key(i)); order != 0) return order;
  }
  for (std::size_t i = 0; a.is_map() && i < a.size(); ++i) {
    if (const auto order = compare(a.value(i), b.value(i)); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

// Datums.

boost::intrusive_ptr<const Datum::Rep> Datum::Rep::make(AtomicType key_type,
                                                        std::optional<AtomicType> value_type,
                                                        std::size_t size, std::size_t value_offset,
                                                        std::size_t payload_bytes) {
  static_assert(sizeof(Rep) == 16, "The payload is aligned as the block is.");
  void* const block = ::operator new(sizeof(Rep) + payload_bytes);
  return new (block) Rep{
      {0},      static_cast<std::uint32_t>(size),          static_cast<std::uint32_t>(value_offset),
      key_type, value_type.value_or(AtomicType::kInteger), value_type.has_value()};
}

void intrusive_ptr_add_ref(const Datum::Rep* rep) noexcept {
  if (rep->refs.load(std::memory_order_relaxed) < kImmortal)
    rep->refs.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const Datum::Rep* rep) noexcept {
  if (rep->refs.load(std::memory_order_relaxed) >= kImmortal) return;
  if (rep->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    ::operator delete(const_cast<Datum::Rep*>(rep));
}

DatumView Datum::view() const {
  assert(rep_ && "A null datum has no view.");
  DatumView view;
  view.keys_ = rep_->payload();
  if (rep_->map) view.values_ = view.keys_ + rep_->value_offset;
  view.size_ = rep_->size;
  view.key_type_ = rep_->key_type;
  view.value_type_ = rep_->value_type;
  view.map_ = rep_->map;
  return view;
}

Datum Datum::of(const AtomView& atom) {
  const AtomicType type = type_of(atom);
  const std::size_t bytes = width(type) + text_bytes(atom);
  Datum datum;
  datum.rep_ = Rep::make(type, {}, 1, 0, bytes);
  ColumnWriter(const_cast<Rep*>(datum.rep_.get())->payload(), 1).put(atom);
  return datum;
}

Datum Datum::copy_of(const DatumView& view) {
  const std::size_t n = view.size();
  const std::size_t key_bytes = column_bytes(view.key_type_, view.keys_, n);
  const std::size_t value_offset = view.map_ ? round_up(key_bytes) : 0;
  const std::size_t value_bytes = view.map_ ? column_bytes(view.value_type_, view.values_, n) : 0;
  const auto value_type = view.map_ ? std::optional(view.value_type_) : std::nullopt;
  Datum datum;
  datum.rep_ = Rep::make(view.key_type_, value_type, n, value_offset,
                         view.map_ ? value_offset + value_bytes : key_bytes);
  std::byte* const payload = const_cast<Rep*>(datum.rep_.get())->payload();
  std::copy_n(view.keys_, key_bytes, payload);
  if (view.map_) std::copy_n(view.values_, value_bytes, payload + value_offset);
  return datum;
}

void Datum::make_immortal() { rep_->refs.store(kImmortal, std::memory_order_relaxed); }

std::size_t Datum::heap_bytes() const {
  if (!rep_) return 0;
  const std::byte* const keys = rep_->payload();
  if (!rep_->map) return sizeof(Rep) + column_bytes(rep_->key_type, keys, rep_->size);
  return sizeof(Rep) + rep_->value_offset +
         column_bytes(rep_->value_type, keys + rep_->value_offset, rep_->size);
}

// The builder.

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
  sort();
  const auto same = [](const Element& a, const Element& b) { return compare(a.key, b.key) == 0; };
  if (std::adjacent_find(elements_.begin(), elements_.end(), same) != elements_.end())
    return std::nullopt;
  return build_sorted();
}

Datum DatumBuilder::build_unique() {
  sort();
  const auto same = [](const Element& a, const Element& b) { return compare(a.key, b.key) == 0; };
  elements_.erase(std::unique(elements_.begin(), elements_.end(), same), elements_.end());
  return build_sorted();
}

Datum DatumBuilder::build_sorted() {
  const std::size_t n = elements_.size();
  std::size_t key_bytes = n * width(key_type_);
  std::size_t value_bytes = value_type_ ? n * width(*value_type_) : 0;
  for (const Element& element : elements_) {
    key_bytes += text_bytes(element.key);
    value_bytes += text_bytes(element.value);
  }
  const std::size_t value_offset = value_type_ ? round_up(key_bytes) : 0;
  Datum datum;
  datum.rep_ = Datum::Rep::make(key_type_, value_type_, n, value_offset,
                                value_type_ ? value_offset + value_bytes : key_bytes);
  std::byte* const payload = const_cast<Datum::Rep*>(datum.rep_.get())->payload();
  ColumnWriter keys(payload, n);
  for (const Element& element : elements_) keys.put(element.key);
  if (value_type_) {
    ColumnWriter values(payload + value_offset, n);
    for (const Element& element : elements_) values.put(element.value);
  }
  return datum;
}

// The splicer.

SetSplicer::SetSplicer(AtomicType type, std::size_t most) {
  assert(serves(type) && "A string's text does not stand beside its key.");
  datum_.rep_ = Datum::Rep::make(type, {}, 0, 0, most * width(type));
}

void SetSplicer::append(const DatumView& from, std::size_t begin, std::size_t end) {
  assert(begin <= end && end <= from.size() && "A range lies within its set.");
  auto& rep = const_cast<Datum::Rep&>(*datum_.rep_);
  const std::size_t bytes = width(rep.key_type);
  std::copy_n(from.keys_ + begin * bytes, (end - begin) * bytes, rep.payload() + rep.size * bytes);
  rep.size += static_cast<std::uint32_t>(end - begin);
}

}  // namespace tandem
