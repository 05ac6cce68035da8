#include "protocol/datum.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <thread>

using namespace tandem;

namespace {

Datum strings(std::initializer_list<const char*> list) {
  DatumBuilder builder(AtomicType::kString);
  for (const char* text : list) builder.add(std::string_view(text));
  return builder.build_unique();
}

Datum string_map(std::initializer_list<std::pair<const char*, const char*>> list) {
  DatumBuilder builder(AtomicType::kString, AtomicType::kString);
  for (const auto& [key, value] : list) builder.add(std::string_view(key), std::string_view(value));
  return builder.build_unique();
}

Datum integers(std::initializer_list<std::int64_t> list) {
  DatumBuilder builder(AtomicType::kInteger);
  for (const std::int64_t value : list) builder.add(value);
  return builder.build_unique();
}

Datum integer_map(std::initializer_list<std::pair<std::int64_t, std::int64_t>> list) {
  DatumBuilder builder(AtomicType::kInteger, AtomicType::kInteger);
  for (const auto& [key, value] : list) builder.add(key, value);
  return builder.build_unique();
}

}  // namespace

TEST_CASE("a scalar of each type holds its atom") {
  const Uuid uuid = Uuid::random();
  for (const AtomView& atom :
       {AtomView(std::int64_t{-7}), AtomView(2.5), AtomView(true),
        AtomView(std::string_view("text")), AtomView(std::string_view()), AtomView(uuid)}) {
    const Datum datum = Datum::of(atom);
    CHECK(datum.size() == 1);
    CHECK_FALSE(datum.view().is_map());
    CHECK(datum.view().key_type() == type_of(atom));
    CHECK(datum.view().key(0) == atom);
  }
  CHECK(DatumView::of_uuid(uuid) == Datum::of(uuid).view());
}

TEST_CASE("a set is sorted whatever the order of its making") {
  const Datum set = strings({"b", "", "abc", "a"});
  REQUIRE(set.size() == 4);
  CHECK(set.view().key(0) == AtomView(std::string_view("")));
  CHECK(set.view().key(1) == AtomView(std::string_view("a")));
  CHECK(set.view().key(2) == AtomView(std::string_view("abc")));
  CHECK(set.view().key(3) == AtomView(std::string_view("b")));
  CHECK(set == strings({"a", "abc", "b", ""}));
}

TEST_CASE("a map keeps each value with its key") {
  const Datum map = string_map({{"k2", "long value"}, {"k1", ""}, {"key3", "v"}});
  REQUIRE(map.size() == 3);
  CHECK(map.view().is_map());
  CHECK(map.view().value_type() == AtomicType::kString);
  CHECK(map.view().key(0) == AtomView(std::string_view("k1")));
  CHECK(map.view().value(0) == AtomView(std::string_view("")));
  CHECK(map.view().value(1) == AtomView(std::string_view("long value")));
  CHECK(map.view().value(2) == AtomView(std::string_view("v")));
}

TEST_CASE("a map from strings to integers keeps its values aligned") {
  DatumBuilder builder(AtomicType::kString, AtomicType::kInteger);
  builder.add(std::string_view("odd"), std::int64_t{3});
  builder.add(std::string_view("x"), std::int64_t{1});
  const Datum map = builder.build_sorted();
  CHECK(map.view().value(0) == AtomView(std::int64_t{3}));
  CHECK(map.view().value(1) == AtomView(std::int64_t{1}));
}

TEST_CASE("a key that occurs twice gives no datum, or is dropped where that is asked for") {
  DatumBuilder builder(AtomicType::kInteger, AtomicType::kInteger);
  builder.add(std::int64_t{2}, std::int64_t{20});
  builder.add(std::int64_t{1}, std::int64_t{10});
  builder.add(std::int64_t{2}, std::int64_t{21});
  CHECK_FALSE(builder.build());
  CHECK(builder.build_unique() == integer_map({{1, 10}, {2, 20}}));
}

TEST_CASE("a key is found by binary search") {
  const Datum set = integers({10, 20, 30, 40, 50});
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(set.view().find(static_cast<std::int64_t>(10 * (i + 1))) == i);
  CHECK_FALSE(set.view().find(std::int64_t{5}));
  CHECK_FALSE(set.view().find(std::int64_t{35}));
  CHECK_FALSE(set.view().find(std::int64_t{55}));
  CHECK_FALSE(integers({}).view().find(std::int64_t{5}));
}

TEST_CASE("datums are equal when types, sizes and atoms are") {
  CHECK(integers({1, 2}) == integers({2, 1}));
  CHECK_FALSE(integers({1, 2}) == integers({1, 3}));
  CHECK_FALSE(integers({1, 2}) == integers({1}));
  CHECK_FALSE(integers({}) == strings({}));
  CHECK_FALSE(integers({}) == integer_map({}));
  CHECK_FALSE(strings({"ab", "c"}) == strings({"a", "bc"}));
  CHECK(string_map({{"a", "b"}}) == string_map({{"a", "b"}}));
  CHECK_FALSE(string_map({{"a", "b"}}) == string_map({{"a", "c"}}));
}

TEST_CASE("zero and minus zero are one real") {
  CHECK(Datum::of(0.0) == Datum::of(-0.0));
  CHECK(Datum::of(0.0).view().hash() == Datum::of(-0.0).view().hash());
}

TEST_CASE("equal datums hash alike, different ones most likely not") {
  CHECK(strings({"a", "b"}).view().hash() == strings({"b", "a"}).view().hash());
  CHECK(strings({"a", "b"}).view().hash() != strings({"a", "c"}).view().hash());
  CHECK(string_map({{"a", "b"}}).view().hash() != string_map({{"b", "a"}}).view().hash());
  CHECK(strings({}).view().hash() == strings({}).view().hash());
}

TEST_CASE("datums are ordered by size, then keys, then values") {
  CHECK((compare(integers({9}).view(), integers({1, 2}).view()) < 0));
  CHECK((compare(integers({1, 3}).view(), integers({1, 2}).view()) > 0));
  CHECK((compare(integer_map({{1, 9}, {2, 1}}).view(), integer_map({{1, 1}, {3, 1}}).view()) < 0));
  CHECK((compare(integer_map({{1, 2}}).view(), integer_map({{1, 1}}).view()) > 0));
  CHECK((compare(integers({}).view(), integers({}).view()) == 0));
}

TEST_CASE("a datum takes a head of 16 bytes and its atoms on the heap") {
  CHECK(Datum().heap_bytes() == 0);
  CHECK(Datum::of(true).heap_bytes() == 17);
  CHECK(Datum::of(std::int64_t{1}).heap_bytes() == 24);
  CHECK(Datum::of(Uuid()).heap_bytes() == 32);
  CHECK(Datum::of(std::string_view("hello")).heap_bytes() == 25);
  CHECK(integers({}).heap_bytes() == 16);
}

TEST_CASE("threads may share and drop one datum at the same time") {
  const Datum shared = strings({"a", "b", "c"});
  Datum immortal;
  {
    static Datum kept = integers({1});
    kept.make_immortal();
    immortal = kept;
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        Datum mine = shared;
        const Datum other = immortal;
        mine = other;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(shared == strings({"a", "b", "c"}));
  CHECK(immortal == integers({1}));
}

TEST_CASE("a union keeps the first side's value of a common key") {
  CHECK(set_union(integers({1, 3}).view(), integers({2, 3}).view()) == integers({1, 2, 3}));
  CHECK(set_union(integer_map({{1, 10}}).view(), integer_map({{1, 11}, {2, 20}}).view()) ==
        integer_map({{1, 10}, {2, 20}}));
}

TEST_CASE("a difference takes keys away, or pairs where the other side is a map") {
  CHECK(set_difference(integers({1, 2, 3}).view(), integers({2, 9}).view()) == integers({1, 3}));
  CHECK(set_difference(integer_map({{1, 10}, {2, 20}}).view(), integers({1, 5}).view()) ==
        integer_map({{2, 20}}));
  CHECK(set_difference(integer_map({{1, 10}, {2, 20}}).view(),
                       integer_map({{1, 10}, {2, 21}}).view()) == integer_map({{2, 20}}));
}

TEST_CASE("the difference of two sets is what is in just one of them") {
  CHECK(diff(integers({0}).view(), integers({3, 4}).view()) == integers({0, 3, 4}));
  CHECK(diff(integers({1, 2}).view(), integers({2, 1}).view()).empty());
}

TEST_CASE("the difference of two maps has added and removed pairs and new values") {
  const Datum before = integer_map({{1, 10}, {2, 20}, {3, 30}});
  const Datum after = integer_map({{1, 10}, {2, 21}, {4, 40}});
  CHECK(diff(before.view(), after.view()) == integer_map({{2, 21}, {3, 30}, {4, 40}}));
}

TEST_CASE("applying a difference gives what it was made from") {
  for (unsigned bits = 0; bits < 1U << 8; ++bits) {
    DatumBuilder before(AtomicType::kInteger, AtomicType::kInteger);
    DatumBuilder after(AtomicType::kInteger, AtomicType::kInteger);
    DatumBuilder before_set(AtomicType::kInteger);
    DatumBuilder after_set(AtomicType::kInteger);
    for (std::int64_t key = 0; key < 4; ++key) {
      const auto in_before = (bits >> (2 * key)) & 1;
      const auto in_after = (bits >> (2 * key + 1)) & 1;
      if (in_before) before.add(key, std::int64_t{1});
      if (in_after) after.add(key, key % 2);
      if (in_before) before_set.add(key);
      if (in_after) after_set.add(key);
    }
    const Datum a = before.build_sorted();
    const Datum b = after.build_sorted();
    CHECK(apply_diff(a.view(), diff(a.view(), b.view()).view()) == b);
    const Datum c = before_set.build_sorted();
    const Datum d = after_set.build_sorted();
    CHECK(apply_diff(c.view(), diff(c.view(), d.view()).view()) == d);
  }
}

TEST_CASE("sets of each kind of elements have the algebra of sets") {
  const auto check = [](auto make) {
    for (unsigned bits = 0; bits < 1U << 8; ++bits) {
      DatumBuilder a(make(0).first);
      DatumBuilder b(make(0).first);
      DatumBuilder either(make(0).first);
      DatumBuilder just_one(make(0).first);
      DatumBuilder only_a(make(0).first);
      for (unsigned key = 0; key < 4; ++key) {
        const bool in_a = (bits >> (2 * key)) & 1;
        const bool in_b = (bits >> (2 * key + 1)) & 1;
        const AtomView atom = make(key).second;
        if (in_a) a.add(atom);
        if (in_b) b.add(atom);
        if (in_a || in_b) either.add(atom);
        if (in_a != in_b) just_one.add(atom);
        if (in_a && !in_b) only_a.add(atom);
      }
      const Datum left = a.build_sorted();
      const Datum right = b.build_sorted();
      CHECK(set_union(left.view(), right.view()) == either.build_sorted());
      CHECK(diff(left.view(), right.view()) == just_one.build_sorted());
      CHECK(set_difference(left.view(), right.view()) == only_a.build_sorted());
    }
  };
  check([](unsigned n) { return std::pair(AtomicType::kUuid, AtomView(Uuid{n / 2, n % 2})); });
  check([](unsigned n) { return std::pair(AtomicType::kReal, AtomView(n - 1.5)); });
  check([](unsigned n) {
    static const std::string texts[] = {"", "a", "ab", "b"};
    return std::pair(AtomicType::kString, AtomView(std::string_view(texts[n])));
  });
}

TEST_CASE("the place of a key is where it stands or would stand") {
  const Datum set = integers({2, 4, 6});
  CHECK(set.view().lower_bound(std::int64_t{1}) == 0);
  CHECK(set.view().lower_bound(std::int64_t{4}) == 1);
  CHECK(set.view().lower_bound(std::int64_t{4}, 2) == 2);
  CHECK(set.view().lower_bound(std::int64_t{9}) == 3);
}

TEST_CASE("a datum of more bytes than any may have is not made") {
  const std::string text(std::size_t{64} << 20, 'x');  // borrowed by all pairs
  DatumBuilder builder(AtomicType::kInteger, AtomicType::kString);
  for (std::int64_t i = 0; i < 7; ++i) builder.add(i, std::string_view(text));
  CHECK_FALSE(builder.is_too_large());
  builder.add(std::int64_t{7}, std::string_view(text));
  CHECK(builder.is_too_large());
  CHECK_FALSE(builder.build());
  for (std::int64_t i = 8; i < 80; ++i) builder.add(i, std::string_view(text));  // beyond 32 bits
  CHECK(builder.is_too_large());
  CHECK_FALSE(builder.build());
}
