#include "replication/standing.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

Position at(std::uint64_t epoch, std::uint64_t index, std::uint64_t digest) {
  return {Epoch{epoch}, index, Uuid{1, digest}};
}

TEST_CASE("promotions and snapshots say which epochs a history has") {
  Standing standing;
  standing.advance(at(0, 1, 1), "a client's comment");
  CHECK(standing.epochs == std::vector{at(0, 1, 1)});
  standing.advance(at(1, 2, 2), promotion_mark(Epoch{1}));
  standing.advance(at(1, 3, 3), "");
  standing.advance(at(2, 4, 4), promotion_mark(Epoch{2}) + "\nby server x");
  CHECK(standing.epochs == std::vector{at(0, 1, 1), at(1, 2, 2), at(2, 4, 4)});
  Standing copy;
  copy.advance(standing.position, "compacted\n" + standing.marks());
  CHECK(copy.position == standing.position);
  CHECK(copy.epochs == standing.epochs);
  copy.advance(at(2, 9, 9), snapshot_mark(at(2, 9, 9)));
  CHECK(copy.epochs.empty());
}

TEST_CASE("an epoch's beginning is later than that of the one before") {
  Standing standing;
  standing.advance(at(0, 1, 1), "");
  CHECK(standing.opened_ms == 0);
  standing.advance(at(1, 2, 2), promotion_mark(Epoch{1}) + '\n' + opened_mark(1000));
  CHECK(standing.opened_ms == 1000);
  standing.advance(at(2, 3, 3), promotion_mark(Epoch{2}) + '\n' + opened_mark(900));
  CHECK(standing.opened_ms == 1001);
  standing.advance(at(2, 4, 4), opened_mark(5000));
  CHECK(standing.opened_ms == 1001);
  standing.advance(at(3, 5, 5), promotion_mark(Epoch{3}));
  CHECK(standing.opened_ms == 1002);
  Standing copy;
  copy.advance(standing.position, standing.marks());
  CHECK(copy.opened_ms == 1002);
  for (const std::string& bad :
       {opened_mark(std::int64_t{1} << 42), opened_mark(7) + '\n' + opened_mark(8),
        std::string("tandem: opened 07"), std::string("tandem: opened -7"), opened_mark(7) + ' '}) {
    INFO(bad);
    CHECK_FALSE(PositionMarks::parse(bad).opened_ms);
  }
}

TEST_CASE("the origin of a history outlives compaction, and any number of promotions") {
  Standing standing;
  CHECK_FALSE(standing.origin);
  standing.advance(at(0, 1, 1), "");
  for (std::uint64_t epoch = 1; epoch <= 100; ++epoch)
    standing.advance(at(epoch, 1 + epoch, 1 + epoch), promotion_mark(Epoch{epoch}));
  CHECK(standing.epochs.front().digest != Uuid{1, 1});
  CHECK(standing.origin == Uuid{1, 1});
  Standing copy;
  copy.advance(standing.position, standing.marks());
  CHECK(copy.origin == standing.origin);
  copy.advance(at(100, 200, 200), "");
  CHECK(copy.origin == standing.origin);
  SECTION("a file of a version that does not know it") {
    copy.advance(at(2, 9, 9), snapshot_mark(at(2, 9, 9)) + '\n' + epochs_mark({at(0, 1, 7)}));
    CHECK(copy.origin == Uuid{1, 7});
    copy.advance(at(2, 9, 9), snapshot_mark(at(2, 9, 9)));
    CHECK(copy.origin == Uuid{1, 9});
  }
  SECTION("one that stands twice is none") {
    const std::string twice = origin_mark(Uuid{1, 3}) + '\n' + origin_mark(Uuid{1, 4});
    CHECK_FALSE(PositionMarks::parse(twice).origin);
    CHECK_FALSE(PositionMarks::parse(origin_mark(Uuid{1, 3}) + " ").origin);
  }
}

TEST_CASE("a list of epochs is heeded only as it is written, and once") {
  const std::vector<Position> epochs{at(1, 2, 2)};
  CHECK(PositionMarks::parse(epochs_mark(epochs)).epochs == epochs);
  for (const std::string& bad :
       {epochs_mark(epochs) + " ", epochs_mark(epochs) + " 1/2", ' ' + epochs_mark(epochs),
        epochs_mark(epochs) + '\n' + epochs_mark(epochs), std::string("tandem: epochs x")}) {
    INFO(bad);
    CHECK(PositionMarks::parse(bad).epochs.empty());
  }
}

TEST_CASE("a copy that is only old has nothing of its own") {
  const Standing active{at(2, 50, 50), {at(1, 10, 10), at(2, 20, 20)}};
  CHECK_FALSE(find_fork({at(0, 9, 9), {}}, active));
  CHECK_FALSE(find_fork({at(1, 19, 19), {at(1, 10, 10)}}, active));
  CHECK_FALSE(find_fork({at(2, 50, 50), active.epochs}, active));
}

TEST_CASE("a copy that has more of an epoch than the next one took over has records of its own") {
  const Standing active{at(2, 50, 50), {at(1, 10, 10), at(2, 20, 20)}};
  CHECK(find_fork({at(1, 25, 25), {at(1, 10, 10)}}, active)->common == 19);
  CHECK(find_fork({at(0, 12, 12), {}}, active)->common == 9);
  CHECK(find_fork({at(2, 51, 51), active.epochs}, active)->common == 50);
}

TEST_CASE("files that have nothing to do with one another have all records of their own") {
  const Standing active{at(1, 50, 50), {at(0, 1, 1), at(1, 10, 10)}};
  CHECK(find_fork({at(0, 9, 90), {at(0, 1, 2)}}, active)->common == 0);
  CHECK_FALSE(find_fork({at(0, 9, 9), {at(0, 1, 1)}}, active));
  CHECK(find_fork({at(0, 12, 12), {at(0, 1, 1)}}, active)->common == 9);
}

TEST_CASE("a copy with an epoch that the active has not has records of its own") {
  const Standing active{at(2, 50, 50), {at(1, 10, 10), at(2, 20, 20)}};
  // Promoted beside the active, from an earlier record, or by the same epoch's number.
  CHECK(find_fork({at(2, 17, 17), {at(1, 10, 10), at(2, 15, 15)}}, active)->common == 14);
  CHECK(find_fork({at(3, 40, 40), {at(1, 10, 10), at(2, 20, 20), at(3, 30, 30)}}, active)->common ==
        29);
  CHECK(find_fork({at(1, 7, 7), {at(1, 5, 5)}}, active)->common == 4);
}

}  // namespace
}  // namespace tandem
