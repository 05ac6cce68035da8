#include "server/database/history.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

CommitRef commit(std::uint64_t n, std::size_t record_bytes = 10) {
  auto c = std::make_shared<Commit>();
  c->id = Uuid{n, n};
  c->position.index = n;
  c->record.assign(record_bytes, 'x');
  return c;
}

TEST_CASE(
    "a history gives the commits after an id, none after the newest, nothing after an unknown "
    "one") {
  History history(1U << 20);
  history.reset(Uuid{7, 7}, Position{});
  for (std::uint64_t n = 10; n < 13; ++n) history.push(commit(n));
  REQUIRE(history.since(Uuid{7, 7}));
  CHECK(history.since(Uuid{7, 7})->size() == 3);
  REQUIRE(history.since(Uuid{10, 10}));
  CHECK(history.since(Uuid{10, 10})->front()->id == Uuid{11, 11});
  CHECK(history.since(Uuid{12, 12})->empty());
  CHECK_FALSE(history.since(Uuid{1, 2}));
  CHECK(history.newest_id() == Uuid{12, 12});
}

TEST_CASE(
    "a history over its bound forgets its oldest commits, and what came before them is unknown") {
  History history(5'000);
  history.reset(Uuid{}, Position{});
  for (std::uint64_t n = 1; n <= 20; ++n) history.push(commit(n, 500));
  CHECK(history.bytes() <= 5'000);
  CHECK(history.size() < 20);
  CHECK_FALSE(history.since(Uuid{1, 1}));
  const std::uint64_t oldest = history.oldest_position().index;
  REQUIRE(history.since(Uuid{oldest, oldest}));
  CHECK(history.since(Uuid{oldest, oldest})->size() == history.size());
}

TEST_CASE(
    "what lies behind an index is known as far as the history reaches, and not past a resync") {
  History history(1U << 20);
  history.reset(Uuid{7, 7}, Position{Epoch{1}, 9, Uuid{7, 7}});
  for (std::uint64_t n = 10; n < 13; ++n) history.push(commit(n));
  REQUIRE(history.behind(11));
  CHECK(history.behind(11)->commits.size() == 1);
  CHECK(history.behind(11)->from.index == 11);
  CHECK(history.behind(9)->commits.size() == 3);
  CHECK(history.behind(9)->from.digest == Uuid{7, 7});
  CHECK(history.behind(12)->commits.empty());
  CHECK_FALSE(history.behind(8));
  // A resync leads elsewhere: 12 there is another record than 12 here.
  history.push(commit(20));
  history.push(commit(21));
  CHECK(history.behind(20)->commits.size() == 1);
  CHECK_FALSE(history.behind(12));
  CHECK(history.behind(Uuid{11, 11})->commits.size() == 3);
  CHECK_FALSE(history.behind(Uuid{1, 2}));
}

}  // namespace
}  // namespace tandem
