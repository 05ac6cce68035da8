#pragma once

// Large datums. A client that adds one address to a set of 300,000 pays for what it adds: such a
// set is no single block but a list of pieces, sorted by key, each a small datum of its own that
// versions share. A change makes one or two pieces anew and copies the list, 16 bytes a piece;
// whatever compares two versions (differences, references, equality) passes over the pieces that
// both have. A set of 300,000 strings has 1,200 of them: a mutation makes one or two anew,
// where copying the block took 21 ms. Datums of up to kMostElements elements, nearly all that there
// are, stay one block.
//
// Rejected: a tree of deeper levels (what copying the list costs shows only beyond ten million
// elements, and every reader would pay for the depth); a hash set beside the block (twice the
// memory, and sorted order is what comparisons live on); keeping the block and a log of changes to
// it (every reader would have to merge); changing a block in place while one transaction owns it
// (does nothing for many transactions, for the log and for monitors).

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "protocol/datum_block.h"

namespace tandem {

/// How much one piece holds, unless a single element has more.
struct PieceLimits {
  static constexpr std::size_t kMostElements = 256;
  static constexpr std::size_t kMostText = 65536;  ///< bytes of all strings

  static constexpr bool fit(std::size_t elements, std::size_t text) {
    return elements <= kMostElements && (text <= kMostText || elements <= 1);
  }
  /// Worth joining with a neighbour.
  static constexpr bool are_few(std::size_t elements, std::size_t text) {
    return elements < kMostElements / 4 && text < kMostText / 4;
  }
};

/// Says where to cut a run of elements into pieces of about one size.
class PieceCutter {
 public:
  explicit PieceCutter(std::size_t elements)
      : most_((elements - 1) / ((elements - 1) / PieceLimits::kMostElements + 1) + 1) {}

  /// Counts one more element; true if a piece ends with it.
  bool ends_with(std::size_t text) {
    elements_++;
    text_ += text;
    if (elements_ < most_ && text_ < PieceLimits::kMostText / 2) return false;
    elements_ = 0;
    text_ = 0;
    return true;
  }

 private:
  const std::size_t most_;
  std::size_t elements_ = 0;
  std::size_t text_ = 0;
};

/// Collects pieces and makes a datum of them.
class PieceList {
 public:
  void add(Datum piece);
  /// Requires pieces of a list.
  void share(std::span<const DatumPiece> pieces);
  bool empty() const { return pieces_.empty(); }
  const Datum& last() const { return pieces_.back().datum; }
  Datum take_last();
  /// Requires a piece.
  Datum finish();

 private:
  std::size_t size() const { return pieces_.empty() ? 0 : pieces_.back().end; }
  std::size_t bytes() const { return pieces_.empty() ? 0 : pieces_.back().bytes; }
  std::vector<DatumPiece> pieces_;
};

/// Makes a datum from ranges and whole pieces of others of the same types, in order of the keys.
/// Borrows the others until finish().
class DatumSplicer {
 public:
  /// For a datum of the types of this one.
  explicit DatumSplicer(const DatumView& like) : like_(like) {}

  /// Appends elements [begin, end) of a small datum.
  void append(const DatumView& from, std::size_t begin, std::size_t end) {
    if (begin == end) return;
    size_ += end - begin;
    text_ += text_of(from, begin, end);
    if (!ranges_.empty() && ranges_.back().end == begin && ranges_.back().from.shares_with(from)) {
      ranges_.back().end = end;
    } else {
      ranges_.push_back({from, begin, end});
    }
  }
  /// Appends pieces [begin, end) of a datum, without a copy where it is large.
  void share(const DatumView& from, std::size_t begin, std::size_t end);
  Datum finish();

 private:
  struct Range {
    DatumView from;
    std::size_t begin;
    std::size_t end;
  };
  static std::size_t text_of(const DatumView& from, std::size_t begin, std::size_t end);
  /// Whether what is pending is so little that a neighbour should take it, and can.
  bool joins(const DatumView& neighbour) const;
  void take_back_last();
  /// Makes pieces of the ranges.
  void flush();
  void cut();
  Datum join(std::span<const Range> ranges) const;

  DatumView like_;
  PieceList list_;
  boost::container::small_vector<Range, 8> ranges_;  // not in list_ yet
  std::size_t size_ = 0;                             // elements of ranges_
  std::size_t text_ = 0;                             // and their bytes of text
  std::vector<Datum> held_;                          // pieces that were taken back
};

}  // namespace tandem
