#include "protocol/datum_cursor.h"
#include "protocol/datum_pieces.h"

// Set and map algebra by merging two sorted sequences. Where one side has few elements, the other's
// are copied in ranges between them, and its pieces are shared.

namespace tandem {

namespace {

/// The fate of a key that both sides have.
enum class Both {
  kGoes,
  kOfA,
  kOfAIfValuesDiffer,  ///< else it goes
  kOfBIfValuesDiffer,  ///< else it goes
};

/// What becomes of the keys that only `b` has, and of those that both have. Those that only `a` has
/// are kept.
struct Rule {
  bool keep_b;
  Both both;
};

/// Merges two datums by a rule.
class Merge {
 public:
  Merge(const DatumView& a, const DatumView& b, Rule rule) : a_(a), b_(b), rule_(rule), out_(a) {}

  Datum run() {
    std::size_t k = 0;  // of a's pieces
    while (k < a_.pieces() && !b_.done()) {
      if (b_.at() == 0 && b_.piece().shares_with(a_.piece(k))) {
        if (rule_.both == Both::kOfA) out_.share(a_, k, k + 1);
        b_.advance(b_.left());
        k++;
        continue;
      }
      const std::size_t home = a_.piece_of(b_.key(), k);
      if (home == k) {
        merge_piece(k++);
      } else {
        out_.share(a_, k, home);
        k = home;
      }
    }
    out_.share(a_, k, a_.pieces());
    for (; !b_.done(); b_.advance(b_.left())) {
      if (rule_.keep_b) out_.append(b_.piece(), b_.at(), b_.piece().size());
    }
    return out_.finish();
  }

 private:
  /// One piece of `a` with all of `b` that comes before the next piece.
  void merge_piece(std::size_t k) {
    const DatumView a = a_.piece(k);
    const bool last = k + 1 == a_.pieces();
    const AtomView bound = last ? AtomView() : a_.piece(k + 1).key(0);
    std::size_t kept = 0;  // of this piece
    while (!b_.done()) {
      const DatumView& b = b_.piece();
      const std::size_t end = last ? b.size() : b.lower_bound(bound, b_.at());
      for (std::size_t j = b_.at(); j < end; ++j) {
        // Two versions of a value are alike but for a few elements.
        const std::size_t n = equal_run(a, kept, b, j, end);
        if (rule_.both == Both::kOfA) out_.append(a, kept, kept + n);
        kept += n;
        j += n;
        if (j < end) kept = merge_key(a, kept, b, j);
      }
      const bool reached = end < b.size();
      b_.advance(end - b_.at());
      if (reached) break;
    }
    out_.append(a, kept, a.size());
  }

  /// Takes key j of `b` and what `a` has before it; returns how much of `a` is done.
  std::size_t merge_key(const DatumView& a, std::size_t kept, const DatumView& b, std::size_t j) {
    const AtomView key = b.key(j);
    const std::size_t at = a.lower_bound(key, kept);
    out_.append(a, kept, at);
    if (at == a.size() || compare(a.key(at), key) != 0) {
      if (rule_.keep_b) out_.append(b, j, j + 1);
      return at;
    }
    const auto differ = [&] { return compare(a.value(at), b.value(j)) != 0; };
    switch (rule_.both) {
      case Both::kGoes:
        break;
      case Both::kOfA:
        out_.append(a, at, at + 1);
        break;
      case Both::kOfAIfValuesDiffer:
        if (differ()) out_.append(a, at, at + 1);
        break;
      case Both::kOfBIfValuesDiffer:
        if (differ()) out_.append(b, j, j + 1);
        break;
    }
    return at + 1;
  }

  const DatumView a_;
  DatumCursor b_;
  const Rule rule_;
  DatumSplicer out_;
};

}  // namespace

Datum set_union(const DatumView& a, const DatumView& b) {
  return Merge(a, b, {.keep_b = true, .both = Both::kOfA}).run();
}

Datum set_difference(const DatumView& a, const DatumView& b) {
  const Both both = b.is_map() ? Both::kOfAIfValuesDiffer : Both::kGoes;
  return Merge(a, b, {.keep_b = false, .both = both}).run();
}

Datum diff(const DatumView& before, const DatumView& after) {
  // The difference of two sets is symmetric, and a removed pair of a map is sent with its value; so
  // what is in both with different values is a change of the value, and what is in both with equal
  // values a removal.
  return apply_diff(before, after);
}

Datum apply_diff(const DatumView& before, const DatumView& difference) {
  const Both both = before.is_map() ? Both::kOfBIfValuesDiffer : Both::kGoes;
  return Merge(before, difference, {.keep_b = true, .both = both}).run();
}

}  // namespace tandem
