#pragma once

// The values of columns. A site holds some ten million of them at once and reads them from several
// threads, so a datum is one immutable, reference-counted block: a 16-byte head, then the keys in
// sorted order, then (for maps) the values. Fixed-size atoms are stored as they are; strings as an
// array of end offsets followed by the bytes. Rows share the datums that a change did not touch,
// and comparing two versions of a row is mostly comparing pointers. The few datums that are large
// are lists of such blocks (protocol/datum_pieces.h). Rejected: a variant of vectors
// (three allocations and 24 bytes before the first atom); interning each string (a lock and a hash
// a string, while most strings of OVN's large tables differ).

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "protocol/atom.h"

namespace tandem {

struct DatumBlock;
struct DatumColumn;
void intrusive_ptr_add_ref(const DatumBlock* block) noexcept;
void intrusive_ptr_release(const DatumBlock* block) noexcept;

/// A borrowed view of a set (keys only) or a map (keys and values), sorted by key, keys unique. A
/// scalar is a set of one.
class DatumView {
 public:
  DatumView() = default;

  AtomicType key_type() const { return key_type_; }
  bool is_map() const { return map_; }
  /// Requires is_map().
  AtomicType value_type() const { return value_type_; }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Require i < size(); value() also requires is_map(). A large datum searches the piece: what
  /// reads all elements uses a DatumCursor or goes by pieces.
  AtomView key(std::size_t i) const { return list_ ? listed_key(i) : atom(key_type_, keys_, i); }
  AtomView value(std::size_t i) const {
    return list_ ? listed_value(i) : atom(value_type_, values_, i);
  }

  /// Index of the key, or nothing. O(log size). Requires the key's type.
  std::optional<std::size_t> find(const AtomView& key) const;

  /// Whether this is a large datum: a list of pieces.
  bool is_list() const { return list_; }
  /// The small datums of which this one consists, in order, none of them empty; a small one
  /// consists of itself.
  std::size_t pieces() const { return list_ ? listed_pieces() : 1; }
  DatumView piece(std::size_t k) const { return list_ ? listed_piece(k) : *this; }
  /// The last piece from `begin` on whose first key is not greater; `begin` if there is none.
  std::size_t piece_of(const AtomView& key, std::size_t begin) const;
  /// Surely equal: the same memory.
  bool shares_with(const DatumView& other) const {
    return keys_ == other.keys_ && values_ == other.values_ && size_ == other.size_;
  }

  // Of small datums.

  /// Index of the first key from `begin` on that is not less; size() if there is none. O(log of the
  /// distance).
  std::size_t lower_bound(const AtomView& key, std::size_t begin = 0) const;
  /// All keys, or all values of a map. Require that these are UUIDs.
  std::span<const Uuid> uuid_keys() const { return {reinterpret_cast<const Uuid*>(keys_), size_}; }
  std::span<const Uuid> uuid_values() const {
    return {reinterpret_cast<const Uuid*>(values_), size_};
  }

  /// The view of a single UUID that lives elsewhere (a row's _uuid and _version).
  static DatumView of_uuid(const Uuid& uuid);

  /// Equal types, sizes and atoms.
  friend bool operator==(const DatumView& a, const DatumView& b);
  std::size_t hash() const;

 private:
  friend class Datum;
  friend struct DatumColumn;
  AtomView atom(AtomicType type, const std::byte* base, std::size_t i) const;
  AtomView listed_key(std::size_t i) const;
  AtomView listed_value(std::size_t i) const;
  std::size_t listed_pieces() const;
  DatumView listed_piece(std::size_t k) const;
  /// Where keys [low, high) hold the first that is not less.
  std::size_t search(const AtomView& key, std::size_t low, std::size_t high) const;

  const std::byte* keys_ = nullptr;    // of a list: its pieces
  const std::byte* values_ = nullptr;  // of a list: the end of its pieces
  std::uint32_t size_ = 0;
  AtomicType key_type_ = AtomicType::kInteger;
  AtomicType value_type_ = AtomicType::kInteger;
  bool map_ = false;
  bool list_ = false;
};

/// Orders datums of one type as ovsdb-server does: by size first, then key by key, then value by
/// value.
std::strong_ordering compare(const DatumView& a, const DatumView& b);

/// An owned, immutable datum: 8 bytes, copied by counting. Thread-safe to share. A
/// default-constructed one is null and stands for "no datum"; only assignment and operator bool may
/// be used on it.
class Datum {
 public:
  /// No datum takes more bytes: an eighth of what its offsets can count.
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 29;

  Datum() = default;
  explicit Datum(boost::intrusive_ptr<const DatumBlock> block) : block_(std::move(block)) {}

  explicit operator bool() const { return block_ != nullptr; }
  DatumView view() const;
  std::size_t size() const { return view().size(); }
  bool empty() const { return size() == 0; }

  /// The same block: a cheap "surely equal".
  bool same(const Datum& other) const { return block_ == other.block_; }
  bool operator==(const Datum& other) const { return same(other) || view() == other.view(); }

  /// A scalar.
  static Datum of(const AtomView& atom);
  /// Never freed and never counted afterwards: for the defaults that half of all columns share.
  void make_immortal();
  /// Bytes on the heap.
  std::size_t heap_bytes() const;
  /// Whether a datum of the elements of both has at most kMaxBytes.
  static bool fit_together(const Datum& a, const Datum& b) {
    return a.heap_bytes() + b.heap_bytes() <= kMaxBytes;
  }

 private:
  boost::intrusive_ptr<const DatumBlock> block_;
};

/// Collects atoms in any order and makes a Datum of them. The strings that views borrow must live
/// until build().
class DatumBuilder {
 public:
  /// A set, or with a value type a map.
  explicit DatumBuilder(AtomicType key_type, std::optional<AtomicType> value_type = {});

  /// Forgets all atoms and starts a datum of the given types; keeps the memory.
  void restart(AtomicType key_type, std::optional<AtomicType> value_type = {});

  void reserve(std::size_t n);
  void add(const AtomView& key);
  void add(const AtomView& key, const AtomView& value);
  std::size_t size() const { return elements_.size(); }

  /// Sorts, and makes the datum. A key that was added twice, or more than Datum::kMaxBytes: nothing
  /// is returned; the caller names the error.
  std::optional<Datum> build();
  /// The elements take more than Datum::kMaxBytes.
  bool is_too_large() const {
    return bytes_of(elements_.size(), text_of(elements_)) > Datum::kMaxBytes;
  }
  /// The same where keys are known to be sorted and unique.
  Datum build_sorted() const;
  /// Sorts, keeping the first of equal keys (RFC 7047 mutation "insert").
  Datum build_unique();

 private:
  struct Element {
    AtomView key;
    AtomView value;
  };
  /// Bytes of strings.
  struct Text {
    std::size_t keys = 0;
    std::size_t values = 0;
  };
  void sort();
  static Text text_of(std::span<const Element> elements);
  /// Bytes that a block of n elements takes.
  std::size_t bytes_of(std::size_t n, Text text) const;
  Datum make(std::span<const Element> elements, Text text) const;
  Datum make_pieces(Text text) const;

  AtomicType key_type_;
  std::optional<AtomicType> value_type_;
  std::vector<Element> elements_;
};

// Set and map algebra; both sides of one type. Pieces that both sides share cost nothing.

/// All pairs of `a`, and those of `b` whose key `a` has not.
Datum set_union(const DatumView& a, const DatumView& b);
/// Pairs of `a` without the keys of `b`, map or set; of a map, only pairs equal in both go.
Datum set_difference(const DatumView& a, const DatumView& b);
/// The difference that `update2` and `_is_diff` carry (ovsdb-server(7), ovsdb(5)): applied to
/// `before` it gives `after`. For scalars it is `after` itself (callers know from the column type);
/// here: keys in just one of both, and for maps also keys with changed values, carrying the new
/// value.
Datum diff(const DatumView& before, const DatumView& after);
/// Inverse of diff().
Datum apply_diff(const DatumView& before, const DatumView& difference);

}  // namespace tandem
