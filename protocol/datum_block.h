#pragma once

// The layout of a datum's block, for what makes and reads blocks: protocol/datum*.cc.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/datum.h"

namespace tandem {

/// A piece of a large datum.
struct DatumPiece {
  Datum datum;              ///< small
  std::uint32_t end = 0;    ///< elements in this piece and those before it
  std::uint32_t bytes = 0;  ///< on the heap, of these pieces
};

/// The head of a block; the payload follows: of a small datum the keys, then at value_offset the
/// values; of a large one the pieces.
struct DatumBlock {
  mutable std::atomic<std::uint32_t> refs;
  std::uint32_t size;          ///< elements
  std::uint32_t value_offset;  ///< in bytes from the payload's start, a multiple of 8
  AtomicType key_type;
  AtomicType value_type;
  bool map;
  bool list;  ///< of pieces; value_offset is their end

  /// A count that is never touched again. Half of the range above it: an add_ref that races with
  /// make_immortal does no harm.
  static constexpr std::uint32_t kImmortal = 1U << 31;

  const std::byte* payload() const { return reinterpret_cast<const std::byte*>(this + 1); }
  std::byte* payload() { return reinterpret_cast<std::byte*>(this + 1); }
  /// Requires a list.
  std::span<const DatumPiece> pieces() const {
    return {reinterpret_cast<const DatumPiece*>(payload()), value_offset / sizeof(DatumPiece)};
  }

  using Ref = boost::intrusive_ptr<DatumBlock>;
  /// A small datum of the given types, its payload yet to be written.
  static Ref make(AtomicType key_type, std::optional<AtomicType> value_type, std::size_t size,
                  std::size_t value_offset, std::size_t payload_bytes);
  /// A large datum. Requires at least two pieces.
  static Ref make_list(std::span<DatumPiece> pieces);
};

inline DatumBlock::Ref DatumBlock::make(AtomicType key_type, std::optional<AtomicType> value_type,
                                        std::size_t size, std::size_t value_offset,
                                        std::size_t payload_bytes) {
  static_assert(sizeof(DatumBlock) == 16, "The payload is aligned as the block is.");
  void* const block = ::operator new(sizeof(DatumBlock) + payload_bytes);
  return new (block) DatumBlock{
      {0},      static_cast<std::uint32_t>(size),          static_cast<std::uint32_t>(value_offset),
      key_type, value_type.value_or(AtomicType::kInteger), value_type.has_value(),
      false};
}

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
T read_at(const std::byte* base, std::size_t i) {
  T value;
  std::memcpy(&value, base + i * sizeof(T), sizeof(T));
  return value;
}

/// The keys or the values of a small datum, as they lie in memory.
struct DatumColumn {
  AtomicType type;
  const std::byte* base;
  std::size_t n;

  static DatumColumn keys(const DatumView& view) {
    return {view.key_type_, view.keys_, view.size_};
  }
  /// Requires a map.
  static DatumColumn values(const DatumView& view) {
    return {view.value_type_, view.values_, view.size_};
  }
  /// Of a large datum.
  static std::span<const DatumPiece> pieces(const DatumView& view) {
    return {reinterpret_cast<const DatumPiece*>(view.keys_),
            reinterpret_cast<const DatumPiece*>(view.values_)};
  }

  bool has_text() const { return type == AtomicType::kString; }
  /// Bytes that the ends of the strings, or all other atoms, take.
  std::size_t fixed_bytes() const { return n * width(type); }
  /// Where the text of string i begins, counted from the first one's. Requires has_text().
  StringEnd text_begin(std::size_t i) const { return i == 0 ? 0 : read_at<StringEnd>(base, i - 1); }
  std::size_t text_bytes(std::size_t begin, std::size_t end) const {
    return has_text() ? text_begin(end) - text_begin(begin) : 0;
  }
  std::size_t bytes() const { return fixed_bytes() + text_bytes(0, n); }
  std::string_view string(std::size_t i) const {
    const StringEnd begin = text_begin(i);
    return {reinterpret_cast<const char*>(base + fixed_bytes() + begin), text_begin(i + 1) - begin};
  }
};

/// How many elements of `a` from `i` on equal those of `b` from `j` on, before `end` there; keys
/// alone, if one of both is a set. Requires small datums with keys of one type.
std::size_t equal_run(const DatumView& a, std::size_t i, const DatumView& b, std::size_t j,
                      std::size_t end);

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

  /// Atoms [begin, end) of another column.
  void put(const DatumColumn& from, std::size_t begin, std::size_t end) {
    if (!from.has_text()) {
      const std::size_t bytes = width(from.type);
      at_ = std::copy_n(from.base + begin * bytes, (end - begin) * bytes, at_);
      return;
    }
    const StringEnd first = from.text_begin(begin);
    const auto before = static_cast<StringEnd>(text_ - text_begin_);
    for (std::size_t i = begin; i < end; ++i) {
      put_fixed(static_cast<StringEnd>(before + (from.text_begin(i + 1) - first)));
    }
    text_ = std::copy_n(from.base + from.fixed_bytes() + first, from.text_bytes(begin, end), text_);
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

inline std::size_t text_bytes(const AtomView& atom) {
  const auto* text = std::get_if<std::string_view>(&atom);
  return text ? text->size() : 0;
}

constexpr std::size_t round_up(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

}  // namespace tandem
