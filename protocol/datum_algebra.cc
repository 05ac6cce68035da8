#include "protocol/datum.h"

// Set and map algebra by merging two sorted sequences.

namespace tandem {

namespace {

/// Walks two datums in step and collects what of them is kept.
class Merge {
 public:
  Merge(const DatumView& a, const DatumView& b)
      : a_(a),
        b_(b),
        out_(a.key_type(), a.is_map() ? std::optional(a.value_type()) : std::nullopt) {}

  void keep_a(std::size_t i) { keep(a_, i); }
  void keep_b(std::size_t j) { keep(b_, j); }

  /// Calls only_a(i), only_b(j), both(i, j) in the order of the keys.
  template <class OnlyA, class OnlyB, class Both>
  Datum run(OnlyA only_a, OnlyB only_b, Both both) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a_.size() && j < b_.size()) {
      const auto order = compare(a_.key(i), b_.key(j));
      if (order < 0) {
        only_a(i++);
      } else if (order > 0) {
        only_b(j++);
      } else {
        both(i++, j++);
      }
    }
    while (i < a_.size()) only_a(i++);
    while (j < b_.size()) only_b(j++);
    return out_.build_sorted();
  }

 private:
  void keep(const DatumView& from, std::size_t i) {
    if (from.is_map()) {
      out_.add(from.key(i), from.value(i));
    } else {
      out_.add(from.key(i));
    }
  }

  const DatumView& a_;
  const DatumView& b_;
  DatumBuilder out_;
};

/// What becomes of the keys that only `b` has, and of those that both have. Those that only `a` has
/// are kept.
struct Rule {
  bool keep_b;
  bool keep_both;
};

/// The same for sets of SetSplicer's types: `a` may have thousands of keys where `b` has one.
Datum splice(const DatumView& a, const DatumView& b, Rule rule) {
  SetSplicer out(a.key_type(), a.size() + (rule.keep_b ? b.size() : 0));
  std::size_t kept = 0;  // of a
  for (std::size_t j = 0; j < b.size(); ++j) {
    const AtomView key = b.key(j);
    const std::size_t at = a.lower_bound(key, kept);
    out.append(a, kept, at);
    kept = at;
    if (at < a.size() && compare(a.key(at), key) == 0) {
      if (!rule.keep_both) ++kept;
    } else if (rule.keep_b) {
      out.append(b, j, j + 1);
    }
  }
  out.append(a, kept, a.size());
  return out.finish();
}

bool can_splice(const DatumView& a) { return !a.is_map() && SetSplicer::serves(a.key_type()); }

constexpr auto kDropOne = [](std::size_t) {};
constexpr auto kDropBoth = [](std::size_t, std::size_t) {};

bool same_value(const DatumView& a, std::size_t i, const DatumView& b, std::size_t j) {
  return compare(a.value(i), b.value(j)) == 0;
}

}  // namespace

Datum set_union(const DatumView& a, const DatumView& b) {
  if (can_splice(a)) return splice(a, b, {.keep_b = true, .keep_both = true});
  Merge merge(a, b);
  const auto keep_a = [&](std::size_t i) { merge.keep_a(i); };
  const auto keep_b = [&](std::size_t j) { merge.keep_b(j); };
  return merge.run(keep_a, keep_b, [&](std::size_t i, std::size_t) { merge.keep_a(i); });
}

Datum set_difference(const DatumView& a, const DatumView& b) {
  if (can_splice(a)) return splice(a, b, {.keep_b = false, .keep_both = false});
  Merge merge(a, b);
  const auto keep_a = [&](std::size_t i) { merge.keep_a(i); };
  if (!b.is_map()) return merge.run(keep_a, kDropOne, kDropBoth);
  return merge.run(keep_a, kDropOne, [&](std::size_t i, std::size_t j) {
    if (!same_value(a, i, b, j)) merge.keep_a(i);
  });
}

Datum diff(const DatumView& before, const DatumView& after) {
  // The difference of two sets is symmetric, and a removed pair of a map is sent with its value; so
  // what is in both with different values is a change of the value, and what is in both with equal
  // values a removal.
  return apply_diff(before, after);
}

Datum apply_diff(const DatumView& before, const DatumView& difference) {
  if (can_splice(before)) return splice(before, difference, {.keep_b = true, .keep_both = false});
  Merge merge(before, difference);
  const auto keep_a = [&](std::size_t i) { merge.keep_a(i); };
  const auto keep_b = [&](std::size_t j) { merge.keep_b(j); };
  if (!before.is_map()) return merge.run(keep_a, keep_b, kDropBoth);
  return merge.run(keep_a, keep_b, [&](std::size_t i, std::size_t j) {
    if (!same_value(before, i, difference, j)) merge.keep_b(j);
  });
}

}  // namespace tandem
