#pragma once

#include "protocol/datum.h"

namespace tandem {

/// Goes through the elements of a datum in order, piece by piece. Borrows the datum.
class DatumCursor {
 public:
  explicit DatumCursor(const DatumView& datum) : datum_(datum), piece_(datum.piece(0)) {}

  bool done() const { return at_ == piece_.size(); }
  /// The piece it stands in, the place in it, and the elements from there to the piece's end.
  const DatumView& piece() const { return piece_; }
  std::size_t at() const { return at_; }
  std::size_t left() const { return piece_.size() - at_; }
  /// Require !done().
  AtomView key() const { return piece_.key(at_); }
  AtomView value() const { return piece_.value(at_); }

  /// Requires n <= left().
  void advance(std::size_t n = 1) {
    at_ += n;
    if (at_ < piece_.size() || ++number_ >= datum_.pieces()) return;
    piece_ = datum_.piece(number_);
    at_ = 0;
  }

  /// Both stand before one and the same piece: what follows is equal up to its end.
  friend bool at_shared_piece(const DatumCursor& a, const DatumCursor& b) {
    return a.at_ == 0 && b.at_ == 0 && a.piece_.shares_with(b.piece_);
  }

 private:
  DatumView datum_;
  DatumView piece_;
  std::size_t number_ = 0;
  std::size_t at_ = 0;
};

}  // namespace tandem
