#include "ocf/agent/decision/copy.h"

#include <catch2/catch.hpp>

namespace tandem::agent {
namespace {

Copy::Database at(std::uint64_t epoch, std::uint64_t index, bool in_sync = true) {
  return {Height{Epoch{epoch}, index}, std::nullopt, in_sync};
}

Copy copy(const Copy::Database& nb, const Copy::Database& sb) {
  Copy copy;
  copy.databases[Which::kNb] = nb;
  copy.databases[Which::kSb] = sb;
  return copy;
}

enum class Order { kAhead, kLevel };

/// Both ways round.
void expect(const Copy& a, const Copy& b, Order expected) {
  CHECK(is_better(a, b) == (expected == Order::kAhead));
  CHECK_FALSE(is_better(b, a));
}

TEST_CASE("A copy is ahead if it is behind in no database and ahead in one") {
  expect(copy(at(5, 100), at(5, 10)), copy(at(5, 100), at(5, 9)), Order::kAhead);
  expect(copy(at(6, 1), at(5, 9)), copy(at(5, 100), at(5, 9)), Order::kAhead);
  expect(copy(at(5, 100), at(5, 9)), copy(at(5, 100), at(5, 9)), Order::kLevel);
}

TEST_CASE("A copy that was not in sync is ahead if it is behind in no database") {
  const Copy whole = copy(at(5, 100), at(5, 9000));
  expect(copy(at(5, 101), at(5, 9001, false)), whole, Order::kAhead);
  expect(copy(at(5, 101), at(5, 9000, false)), whole, Order::kAhead);
  expect(copy(at(5, 101, false), at(5, 9000, false)), whole, Order::kAhead);
}

TEST_CASE("Of two that each have more in one database the one that was in sync is ahead") {
  expect(copy(at(5, 100), at(5, 9000)), copy(at(5, 101), at(5, 10, false)), Order::kAhead);
}

TEST_CASE("A copy has all of another one if it is behind in no database") {
  const Copy whole = copy(at(5, 100), at(5, 9000));
  CHECK(has_all_of(whole, whole));
  CHECK(has_all_of(copy(at(5, 100, false), at(5, 9001)), whole));
  CHECK_FALSE(has_all_of(whole, copy(at(5, 150, false), at(5, 9000, false))));
  CHECK_FALSE(has_all_of(whole, copy(at(5, 50, false), at(5, 9001, false))));
}

TEST_CASE("Of two that are each ahead in one database the Northbound one decides") {
  expect(copy(at(5, 101), at(5, 10)), copy(at(5, 100), at(5, 300)), Order::kAhead);
}

TEST_CASE("Indexes of epoch 0 are not compared, but an empty copy is behind one with contents") {
  expect(copy(at(0, 7), at(0, 7)), copy(at(0, 900), at(0, 1)), Order::kLevel);
  expect(copy(at(0, 7), at(0, 7)), copy(at(0, 0), at(0, 0)), Order::kAhead);
}

TEST_CASE("Of two of the same height that have parted neither is ahead") {
  const auto parted = [](const char* digest) {
    return Copy::Database{Height{Epoch{5}, 7}, Uuid::parse(digest), true};
  };
  const Copy::Database one = parted("00000000-0000-0000-0000-000000000001");
  const Copy::Database other = parted("00000000-0000-0000-0000-000000000002");
  expect(copy(one, at(5, 1)), copy(other, at(5, 1)), Order::kLevel);
}

TEST_CASE("Copies of stock servers are level with all") {
  expect(Copy{}, copy(at(5, 1), at(5, 1)), Order::kLevel);
  expect(Copy{}, copy(at(5, 1), at(5, 1, false)), Order::kLevel);
}

}  // namespace
}  // namespace tandem::agent
