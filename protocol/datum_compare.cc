#include <algorithm>
#include <functional>
#include <type_traits>

#include "protocol/datum_block.h"
#include "protocol/datum_cursor.h"

// Equality, order and hashes. None depends on how large datums are cut into pieces.

namespace tandem {
namespace {

bool equal_columns(const DatumColumn& a, const DatumColumn& b) {
  if (a.type == AtomicType::kReal) {  // 0.0 equals -0.0
    for (std::size_t i = 0; i < a.n; ++i) {
      if (read_at<double>(a.base, i) != read_at<double>(b.base, i)) return false;
    }
    return true;
  }
  const std::size_t fixed = a.fixed_bytes();
  if (std::memcmp(a.base, b.base, fixed) != 0) return false;
  // Equal ends, so both have equally many bytes of text.
  return !a.has_text() || std::memcmp(a.base + fixed, b.base + fixed, a.text_bytes(0, a.n)) == 0;
}

/// How many of n atoms from `i` and `j` on are equal.
std::size_t equal_run(const DatumColumn& a, std::size_t i, const DatumColumn& b, std::size_t j,
                      std::size_t n) {
  const auto run = [n](const auto& equal) {
    std::size_t k = 0;
    while (k < n && equal(k)) ++k;
    return k;
  };
  const auto run_of = [&]<class T>(std::type_identity<T>) {
    return run(
        [&](std::size_t k) { return read_at<T>(a.base, i + k) == read_at<T>(b.base, j + k); });
  };
  switch (a.type) {
    case AtomicType::kInteger:
      return run_of(std::type_identity<std::int64_t>());
    case AtomicType::kReal:
      return run_of(std::type_identity<double>());
    case AtomicType::kBoolean:
      return run_of(std::type_identity<bool>());
    case AtomicType::kString:
      return run([&](std::size_t k) { return a.string(i + k) == b.string(j + k); });
    case AtomicType::kUuid:
      return run_of(std::type_identity<Uuid>());
  }
  return 0;
}

/// Requires small datums of the same types and size.
bool equal_small(const DatumView& a, const DatumView& b) {
  if (a.empty() || a.shares_with(b)) return true;
  return equal_columns(DatumColumn::keys(a), DatumColumn::keys(b)) &&
         (!a.is_map() || equal_columns(DatumColumn::values(a), DatumColumn::values(b)));
}

/// Requires the same types and size.
bool equal_piecewise(const DatumView& a, const DatumView& b) {
  DatumCursor i(a);
  DatumCursor j(b);
  while (!i.done()) {
    const std::size_t n = std::min(i.left(), j.left());
    if (n == i.piece().size() && n == j.piece().size()) {
      if (!equal_small(i.piece(), j.piece())) return false;
      i.advance(n);
      j.advance(n);
      continue;
    }
    if (i.key() != j.key() || (a.is_map() && i.value() != j.value())) return false;
    i.advance();
    j.advance();
  }
  return true;
}

std::size_t hash_of(const AtomView& atom) {
  const auto of_bytes = [](const auto& value) {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&value), sizeof(value)});
  };
  switch (type_of(atom)) {
    case AtomicType::kInteger:
      return of_bytes(*std::get_if<std::int64_t>(&atom));
    case AtomicType::kReal:
      return std::hash<double>()(*std::get_if<double>(&atom));
    case AtomicType::kBoolean:
      return of_bytes(*std::get_if<bool>(&atom));
    case AtomicType::kString:
      return std::hash<std::string_view>()(*std::get_if<std::string_view>(&atom));
    case AtomicType::kUuid:
      return of_bytes(*std::get_if<Uuid>(&atom));
  }
  return 0;
}

/// Compares what `part` reads at the cursors, element by element.
template <class Part>
std::strong_ordering compare_in_step(const DatumView& a, const DatumView& b, Part part) {
  DatumCursor i(a);
  DatumCursor j(b);
  while (!i.done()) {
    std::size_t n = 1;
    if (at_shared_piece(i, j)) {
      n = i.left();
    } else if (const auto order = compare(part(i), part(j)); order != 0) {
      return order;
    }
    i.advance(n);
    j.advance(n);
  }
  return std::strong_ordering::equal;
}

}  // namespace

std::size_t equal_run(const DatumView& a, std::size_t i, const DatumView& b, std::size_t j,
                      std::size_t end) {
  // In steps: a map of which all values differ must not be read to its end for each key.
  constexpr std::size_t kStep = 8;
  const bool maps = a.is_map() && b.is_map();
  const std::size_t most = std::min(a.size() - i, end - j);
  std::size_t done = 0;
  while (done < most) {
    const std::size_t step = std::min(kStep, most - done);
    std::size_t n = equal_run(DatumColumn::keys(a), i + done, DatumColumn::keys(b), j + done, step);
    if (maps) n = equal_run(DatumColumn::values(a), i + done, DatumColumn::values(b), j + done, n);
    done += n;
    if (n < step) break;
  }
  return done;
}

bool operator==(const DatumView& a, const DatumView& b) {
  if (a.size() != b.size() || a.key_type() != b.key_type() || a.is_map() != b.is_map())
    return false;
  if (a.is_map() && a.value_type() != b.value_type()) return false;
  return a.is_list() || b.is_list() ? equal_piecewise(a, b) : equal_small(a, b);
}

std::size_t DatumView::hash() const {
  // A sum, so that neither the pieces nor the order of hashing them matter.
  std::size_t keys = 0;
  std::size_t values = 0;
  for (DatumCursor at(*this); !at.done(); at.advance()) {
    const std::size_t key = hash_of(at.key());
    keys += key;
    if (map_) values += (key | 1) * hash_of(at.value());
  }
  return keys * 31 + values;
}

std::strong_ordering compare(const DatumView& a, const DatumView& b) {
  if (const auto order = a.size() <=> b.size(); order != 0) return order;
  const auto keys = compare_in_step(a, b, [](const DatumCursor& at) { return at.key(); });
  if (keys != 0 || !a.is_map()) return keys;
  return compare_in_step(a, b, [](const DatumCursor& at) { return at.value(); });
}

}  // namespace tandem
