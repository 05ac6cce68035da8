#include "replication/copy_order.h"

#include <array>
#include <catch2/catch.hpp>

namespace tandem {
namespace {

constexpr Uuid kOneDigest{1, 1};
constexpr Uuid kOtherDigest{2, 2};

Copy at(std::uint64_t epoch, std::uint64_t index) {
  // Copies of one history: the digest follows from the height.
  return {Height{Epoch{epoch}, index}, Uuid{epoch, index}};
}
Copy at(std::uint64_t epoch, std::uint64_t index, const Uuid& digest) {
  return {Height{Epoch{epoch}, index}, digest};
}
Copy out_of_sync(Copy copy) {
  copy.in_sync = false;
  return copy;
}

TEST_CASE("a greater epoch is ahead, then a greater index") {
  CHECK(compare(at(2, 3), at(1, 9)) == CopyOrder::kAhead);
  CHECK(compare(at(1, 9), at(2, 3)) == CopyOrder::kBehind);
  CHECK(compare(at(2, 4), at(2, 3)) == CopyOrder::kAhead);
  CHECK(compare(at(2, 3), at(2, 4)) == CopyOrder::kBehind);
  CHECK(compare(at(2, 3), at(2, 3)) == CopyOrder::kEqual);
  CHECK(compare(at(1, 1), at(0, 900)) == CopyOrder::kAhead);
}

TEST_CASE("copies of one height and of different digests have parted") {
  CHECK(compare(at(2, 3, kOneDigest), at(2, 3, kOtherDigest)) == CopyOrder::kParted);
  CHECK(compare(at(2, 3, kOneDigest), {Height{Epoch{2}, 3}}) == CopyOrder::kEqual);
}

TEST_CASE("files of epoch 0 have nothing to do with one another, unless they are equal") {
  CHECK(compare(at(0, 5, kOneDigest), at(0, 9, kOtherDigest)) == CopyOrder::kUnrelated);
  CHECK(compare(at(0, 9, kOneDigest), at(0, 9, kOtherDigest)) == CopyOrder::kUnrelated);
  CHECK(compare(at(0, 9, kOneDigest), at(0, 9, kOneDigest)) == CopyOrder::kEqual);
}

TEST_CASE("an empty copy of epoch 0 is behind one with contents") {
  CHECK(compare(at(0, 0, kOneDigest), at(0, 1, kOtherDigest)) == CopyOrder::kBehind);
  CHECK(compare(at(0, 1, kOneDigest), at(0, 0, kOtherDigest)) == CopyOrder::kAhead);
  CHECK(compare(at(0, 0, kOneDigest), at(0, 0, kOtherDigest)) == CopyOrder::kEqual);
}

TEST_CASE("a copy of which the height is not known is unrelated to all others") {
  CHECK(compare(Copy{std::nullopt}, at(3, 3)) == CopyOrder::kUnrelated);
  CHECK(compare(at(3, 3), Copy{std::nullopt}) == CopyOrder::kUnrelated);
}

TEST_CASE("a set is ahead if it is behind in no database and ahead in one") {
  CHECK(compare(Copies{at(1, 5), at(1, 7)}, {at(1, 5), at(1, 6)}) == CopyOrder::kAhead);
  CHECK(compare(Copies{at(1, 5), at(1, 6)}, {at(1, 5), at(1, 7)}) == CopyOrder::kBehind);
  CHECK(compare(Copies{at(1, 5), at(1, 7)}, {at(1, 6), at(1, 6)}) == CopyOrder::kParted);
  CHECK(compare(Copies{at(1, 5), at(1, 7)}, {at(1, 5), at(1, 7)}) == CopyOrder::kEqual);
  CHECK(compare(Copies{at(0, 5, kOneDigest), at(1, 7)}, {at(0, 9, kOtherDigest), at(1, 6)}) ==
        CopyOrder::kAhead);
}

TEST_CASE("one Northbound record does not outweigh a dead Southbound copy") {
  const Copies whole{at(4, 10), at(4, 900)};
  const Copies half{at(4, 11), out_of_sync(at(3, 20))};
  CHECK(compare(half, whole) == CopyOrder::kBehind);
  CHECK(compare(whole, half) == CopyOrder::kAhead);
  CHECK(choose(std::array{half, whole})->index == 1);
  CHECK_FALSE(choose(std::array{half, whole})->has_everything);
}

TEST_CASE("a set that was not in sync in one database wins only if it is behind in none") {
  const Copies whole{at(4, 10), at(4, 900)};
  CHECK(compare(Copies{at(4, 11), out_of_sync(at(4, 899))}, whole) == CopyOrder::kBehind);
  CHECK(compare(whole, Copies{out_of_sync(at(4, 9)), at(4, 900)}) == CopyOrder::kAhead);
  CHECK(compare(Copies{at(4, 11), out_of_sync({Height{Epoch{4}, 900}})}, whole) ==
        CopyOrder::kAhead);
  CHECK(compare(Copies{at(4, 11), out_of_sync(at(4, 901))}, whole) == CopyOrder::kAhead);
  CHECK(compare(whole, Copies{at(4, 11), out_of_sync(at(4, 901))}) == CopyOrder::kBehind);
}

TEST_CASE("a database that equals one that was in sync was in sync, too") {
  CHECK(compare(Copies{at(4, 11), out_of_sync(at(4, 900))}, {at(4, 10), at(4, 900)}) ==
        CopyOrder::kAhead);
}

TEST_CASE("a set has all of another one if it lacks nothing in any database") {
  CHECK(has_all_of({at(1, 5), at(1, 7)}, {at(1, 5), at(1, 6)}));
  CHECK_FALSE(has_all_of({at(1, 5), at(1, 7)}, {at(1, 6), at(1, 6)}));
  CHECK_FALSE(has_all_of({at(1, 5, kOneDigest)}, {at(1, 5, kOtherDigest)}));
  CHECK_FALSE(has_all_of({at(0, 5, kOneDigest)}, {at(0, 9, kOtherDigest)}));
}

TEST_CASE("the copies of which nobody is ahead are chosen") {
  CHECK_FALSE(choose({}));
  const std::optional<Choice> choice = choose(std::array{
      Copies{at(1, 5), at(1, 7)}, Copies{at(1, 6), at(1, 7)}, Copies{at(1, 6), at(1, 6)}});
  CHECK(choice->index == 1);
  CHECK(choice->has_everything);
}

TEST_CASE("equal copies are chosen in the order of the candidates") {
  CHECK(choose(std::array{Copies{at(1, 5)}, Copies{at(1, 5)}})->index == 0);
}

TEST_CASE("where no copies have everything the first database decides") {
  const std::optional<Choice> choice =
      choose(std::array{Copies{at(1, 5), at(1, 9)}, Copies{at(1, 6), at(1, 7)}});
  CHECK(choice->index == 1);
  CHECK_FALSE(choice->has_everything);
}

}  // namespace
}  // namespace tandem
