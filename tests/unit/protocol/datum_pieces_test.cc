#include "protocol/datum_pieces.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>

#include "protocol/datum_cursor.h"
#include "protocol/type.h"

using namespace tandem;

namespace {

/// Pairs in a standard container, and the datum that they are: what the algebra is held against.
using Pairs = std::map<std::string, std::string>;

Datum datum_of(const Pairs& pairs, bool map) {
  DatumBuilder builder(AtomicType::kString,
                       map ? std::optional(AtomicType::kString) : std::nullopt);
  for (const auto& [key, value] : pairs) {
    if (map) {
      builder.add(std::string_view(key), std::string_view(value));
    } else {
      builder.add(std::string_view(key));
    }
  }
  return builder.build_sorted();
}

Datum keys_of(const Pairs& pairs) { return datum_of(pairs, false); }

/// Fails unless the pieces keep their rules.
void check_pieces(const Datum& datum) {
  const DatumView view = datum.view();
  std::size_t total = 0;
  for (std::size_t k = 0; k < view.pieces(); ++k) {
    const DatumView piece = view.piece(k);
    REQUIRE_FALSE(piece.is_list());
    REQUIRE(piece.size() <= PieceLimits::kMostElements);
    if (view.is_list()) REQUIRE(piece.size() > 0);
    total += piece.size();
  }
  REQUIRE(total == view.size());
  if (!view.is_list()) return;
  std::size_t bytes = sizeof(DatumBlock);
  for (const DatumPiece& piece : DatumColumn::pieces(view))
    bytes += sizeof(DatumPiece) + piece.datum.heap_bytes();
  REQUIRE(datum.heap_bytes() == bytes);
}

/// How many pieces of `after` are not pieces of `before`.
std::size_t fresh_pieces(const Datum& before, const Datum& after) {
  std::set<const void*> old;
  const auto first_byte = [](const DatumView& piece) -> const void* {
    return DatumColumn::keys(piece).base;
  };
  for (std::size_t k = 0; k < before.view().pieces(); ++k)
    old.insert(first_byte(before.view().piece(k)));
  std::size_t fresh = 0;
  for (std::size_t k = 0; k < after.view().pieces(); ++k)
    fresh += !old.contains(first_byte(after.view().piece(k)));
  return fresh;
}

std::string name_of(unsigned n) {
  std::string name = std::to_string(n % 100000);
  return std::string(6 - name.size(), '0') + name;
}

/// Below n.
unsigned pick(std::mt19937& random, unsigned n) { return static_cast<unsigned>(random() % n); }

/// Some pairs: a few, or many, or neighbours of each other.
Pairs random_pairs(std::mt19937& random, unsigned range) {
  Pairs pairs;
  const unsigned most = pick(random, 4) == 0 ? range / 2 : pick(random, 4) == 0 ? 400 : 3;
  const unsigned first = pick(random, range);
  const bool run = pick(random, 3) == 0;
  for (unsigned i = pick(random, most + 1); i > 0; --i) {
    const unsigned n = run ? first + i : pick(random, range);
    pairs[name_of(n)] = std::string(pick(random, 3), 'v');
  }
  return pairs;
}

Pairs united(Pairs a, const Pairs& b) {
  a.insert(b.begin(), b.end());
  return a;
}

Pairs without_keys(Pairs a, const Pairs& b) {
  for (const auto& [key, value] : b) a.erase(key);
  return a;
}

Pairs without_pairs(Pairs a, const Pairs& b) {
  for (const auto& pair : b) {
    const auto at = a.find(pair.first);
    if (at != a.end() && at->second == pair.second) a.erase(at);
  }
  return a;
}

Pairs difference_of(const Pairs& a, const Pairs& b, bool map) {
  Pairs out = without_keys(a, b);
  for (const auto& [key, value] : b) {
    const auto at = a.find(key);
    if (at == a.end() || (map && at->second != value)) out[key] = value;
  }
  return out;
}

Datum numbers(std::int64_t n, std::int64_t step = 2) {
  DatumBuilder builder(AtomicType::kInteger);
  for (std::int64_t i = 0; i < n; ++i) builder.add(i * step);
  return builder.build_sorted();
}

}  // namespace

TEST_CASE("changes of datums of every size, kept in pieces or not, are those of plain containers") {
  std::mt19937 random(7);
  for (const bool map : {false, true}) {
    for (const unsigned range : {8U, 700U, 5000U}) {
      Pairs model;
      Datum datum = datum_of(model, map);
      for (int i = 0; i < 300; ++i) {
        const Pairs other = random_pairs(random, range);
        const Datum argument = datum_of(other, map);
        const Datum before = datum;
        const Pairs model_before = model;
        switch (pick(random, 4)) {
          case 0:
            model = united(model, other);
            datum = set_union(datum.view(), argument.view());
            break;
          case 1:
            model = without_keys(model, other);
            datum = set_difference(datum.view(), keys_of(other).view());
            break;
          case 2:
            model = map ? without_pairs(model, other) : without_keys(model, other);
            datum = set_difference(datum.view(), argument.view());
            break;
          case 3:
            model = difference_of(model, other, map);
            datum = apply_diff(datum.view(), argument.view());
            break;
        }
        check_pieces(datum);
        const Datum built = datum_of(model, map);
        REQUIRE(datum == built);
        REQUIRE(built == datum);
        REQUIRE(datum.view().hash() == built.view().hash());
        REQUIRE((compare(datum.view(), built.view()) == 0));
        const Datum change = diff(before.view(), datum.view());
        REQUIRE(change == datum_of(difference_of(model_before, model, map), map));
        REQUIRE(apply_diff(before.view(), change.view()) == datum);
        REQUIRE(apply_diff(datum.view(), diff(datum.view(), before.view()).view()) == before);
      }
    }
  }
}

TEST_CASE("an element of a large datum is found, and read by its number") {
  const Datum datum = numbers(2000);
  REQUIRE(datum.view().is_list());
  for (std::int64_t i = -1; i <= 4000; ++i) {
    const auto at = datum.view().find(i);
    const bool there = i % 2 == 0 && i >= 0 && i < 4000;
    REQUIRE(at.has_value() == there);
    if (there) REQUIRE(datum.view().key(*at) == AtomView(i));
  }
  std::size_t n = 0;
  for (DatumCursor at(datum.view()); !at.done(); at.advance(), ++n)
    REQUIRE(at.key() == datum.view().key(n));
  CHECK(n == 2000);
}

TEST_CASE("a change of one element makes at most two pieces of a large datum anew") {
  std::mt19937 random(11);
  Datum datum = numbers(20000);
  for (int i = 0; i < 600; ++i) {
    const Datum one = Datum::of(static_cast<std::int64_t>(pick(random, 40000)));
    const Datum after =
        i % 3 == 0 ? set_difference(datum.view(), one.view()) : set_union(datum.view(), one.view());
    REQUIRE(fresh_pieces(datum, after) <= 2);
    datum = after;
  }
}

TEST_CASE("a datum that shrinks element by element has no more pieces than it needs") {
  std::mt19937 random(13);
  Datum datum = numbers(5000);
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < 5000; ++i) keys.push_back(i * 2);
  std::shuffle(keys.begin(), keys.end(), random);
  for (const std::int64_t key : keys) {
    datum = set_difference(datum.view(), Datum::of(key).view());
    REQUIRE(datum.view().pieces() <= 2 + datum.size() / (PieceLimits::kMostElements / 8));
  }
  CHECK(datum.empty());
  CHECK_FALSE(datum.view().is_list());
}

TEST_CASE("a datum that grows at its end fills its pieces at least by half") {
  Datum datum = numbers(0);
  for (std::int64_t i = 0; i < 10000; ++i) datum = set_union(datum.view(), Datum::of(i).view());
  CHECK(datum.view().pieces() <= 2 * 10000 / PieceLimits::kMostElements + 1);
}

TEST_CASE("strings of many bytes are kept in pieces of few") {
  DatumBuilder builder(AtomicType::kString, AtomicType::kString);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(100 + i) + std::string(20000, 'x'));
  for (const std::string& text : texts)
    builder.add(std::string_view(text).substr(0, 3), std::string_view(text));
  const Datum datum = builder.build_sorted();
  REQUIRE(datum.view().is_list());
  for (std::size_t k = 0; k < datum.view().pieces(); ++k) CHECK(datum.view().piece(k).size() <= 4);
  for (std::size_t i = 0; i < 100; ++i)
    CHECK(datum.view().value(i) == AtomView(std::string_view(texts[i])));
  const Datum after = set_difference(datum.view(), Datum::of(std::string_view("150")).view());
  CHECK(after.size() == 99);
  CHECK(fresh_pieces(datum, after) <= 2);
  CHECK_FALSE(Datum::of(std::string_view(std::string(200000, 'y'))).view().is_list());
}

TEST_CASE("versions of a large datum live as long as they are held, whatever becomes of others") {
  std::vector<Datum> versions{numbers(1000)};
  for (std::int64_t i = 0; i < 500; ++i)
    versions.push_back(set_union(versions.back().view(), Datum::of(2 * i + 1).view()));
  for (std::size_t i = 0; i < versions.size(); i += 2) versions[i] = Datum();
  for (std::size_t i = 1; i < versions.size(); i += 2) {
    REQUIRE(versions[i].size() == 1000 + i);
    REQUIRE(versions[i].view().key(2 * i) == AtomView(static_cast<std::int64_t>(2 * i)));
  }
}

TEST_CASE("a large datum is written as one set or map") {
  std::string text;
  append_datum_json(text, numbers(300, 1).view());
  CHECK(text.starts_with("[\"set\",[0,1,2,"));
  CHECK(text.ends_with(",298,299]]"));
}
