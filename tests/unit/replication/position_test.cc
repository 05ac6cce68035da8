#include "replication/position.h"

#include <catch2/catch.hpp>
#include <compare>

#include "protocol/json/json_reader.h"

using namespace tandem;

namespace {

RecordSha1 sha1_of(int n) {
  RecordSha1 sha1{};
  sha1[0] = static_cast<std::byte>(n);
  return sha1;
}

const Uuid kDigest = *Uuid::parse("550e8400-e29b-41d4-a716-446655440000");
const Position kPosition{Epoch{3}, 17, kDigest};

}  // namespace

TEST_CASE("A file that holds only its schema stands at index 0 of epoch 0") {
  const Position first = first_position(sha1_of(1));
  CHECK(first.epoch == Epoch{0});
  CHECK(first.index == 0);
  // The first 128 bits of SHA-256 of 16 zero bytes, 0x01, 19 zero bytes.
  CHECK(first.digest.to_string() == "924f2f26-e21a-fe58-a924-8ec5af24da5a");
  CHECK(first.digest != first_position(sha1_of(2)).digest);
}

TEST_CASE("The digest chains over the digest before and the record") {
  const Position after = next(kPosition, sha1_of(1));
  CHECK(after.epoch == Epoch{3});
  CHECK(after.index == 18);
  CHECK(after.digest.to_string() == "825f4f34-74b5-5638-44c6-c23b08a1adbd");
  CHECK(after.digest != next(kPosition, sha1_of(2)).digest);
  CHECK(after.digest != next(first_position(sha1_of(1)), sha1_of(1)).digest);
}

TEST_CASE("Positions are ordered by epoch, then by index") {
  const Uuid other = Uuid::random();
  CHECK(Position{Epoch{1}, 9, kDigest} < Position{Epoch{2}, 1, other});
  CHECK(Position{Epoch{2}, 1, kDigest} < Position{Epoch{2}, 2, other});
  CHECK(Position{Epoch{2}, 2, kDigest} == Position{Epoch{2}, 2, kDigest});
}

TEST_CASE("Positions of histories that have parted at equal length are unordered") {
  const Position here{Epoch{2}, 2, kDigest};
  const Position there{Epoch{2}, 2, Uuid::random()};
  CHECK((here <=> there) == std::partial_ordering::unordered);
  CHECK(here != there);
}

TEST_CASE("A position survives JSON") {
  const std::string text = to_text(kPosition);
  CHECK(text == R"({"digest":"550e8400-e29b-41d4-a716-446655440000","epoch":3,"index":17})");
  CHECK(Position::from_json(parse_json(text).value()).value() == kPosition);
}

TEST_CASE("JSON that is no position is a syntax error") {
  for (const char* text :
       {R"(5)", R"([])", R"({})", R"({"epoch":1,"index":2})",
        R"({"epoch":-1,"index":2,"digest":"550e8400-e29b-41d4-a716-446655440000"})",
        R"({"epoch":1,"index":"2","digest":"550e8400-e29b-41d4-a716-446655440000"})",
        R"({"epoch":1,"index":2,"digest":"550e8400"})", R"({"epoch":1,"index":2,"digest":7})"}) {
    INFO(text);
    const Result<Position> position = Position::from_json(parse_json(text).value());
    REQUIRE(!position);
    CHECK(position.error().tag == "syntax error");
  }
}

TEST_CASE("Marks are found among other lines of a comment") {
  const std::string comment =
      "ovn-nbctl: ovn-nbctl ls-add x\n" + snapshot_mark(kPosition) + "\n\nmore";
  CHECK(PositionMarks::parse(comment).snapshot == kPosition);
  CHECK(!PositionMarks::parse(comment).promotion);
  CHECK(PositionMarks::parse(promotion_mark(Epoch{4})).promotion == Epoch{4});
}

TEST_CASE("A line that is not exactly a mark is none") {
  const std::string good = snapshot_mark(kPosition);
  for (const std::string& comment :
       {std::string(), std::string("tandem: "), " " + good, good + " ", good + "\r", good + "0",
        std::string("tandem: promotion epoch="), std::string("tandem: promotion epoch=01"),
        std::string("tandem: promotion epoch=+1"), std::string("tandem: promotion epoch=-1"),
        std::string("tandem: promotion epoch=9223372036854775808"),
        std::string("tandem: promotion  epoch=1"),
        std::string(
            "tandem: snapshot epoch=3 index=17 digest=550E8400-E29B-41D4-A716-446655440000"),
        std::string("tandem: snapshot epoch=3 index=17")}) {
    INFO(comment);
    CHECK(!PositionMarks::parse(comment).snapshot);
    CHECK(!PositionMarks::parse(comment).promotion);
  }
}

TEST_CASE("A mark that stands twice is not heeded") {
  const std::string twice = promotion_mark(Epoch{4}) + "\n" + promotion_mark(Epoch{5});
  CHECK(!PositionMarks::parse(twice).promotion);
}

TEST_CASE("A client's comment cannot forge a mark") {
  const std::string forged = "a\n" + promotion_mark(Epoch{4}) + "\n" + snapshot_mark(kPosition);
  const std::string harmless = without_marks(forged);
  CHECK(harmless == "a\n " + promotion_mark(Epoch{4}) + "\n " + snapshot_mark(kPosition));
  CHECK(!PositionMarks::parse(harmless).promotion);
  CHECK(!PositionMarks::parse(harmless).snapshot);
  CHECK(without_marks("") == "");
  CHECK(without_marks("\na\n\n") == "\na\n\n");
}

TEST_CASE("A promotion record opens an epoch and forks the chain") {
  const Position after = after_record(kPosition, sha1_of(1), promotion_mark(Epoch{4}));
  CHECK(after == Position{Epoch{4}, 18, next(kPosition, sha1_of(1)).digest});
}

TEST_CASE("An epoch never falls") {
  CHECK(after_record(kPosition, sha1_of(1), promotion_mark(Epoch{3})) ==
        next(kPosition, sha1_of(1)));
}

TEST_CASE("A snapshot record takes the position that it carries") {
  const Position start = first_position(sha1_of(1));
  CHECK(after_record(start, sha1_of(2), "compacted\n" + snapshot_mark(kPosition)) == kPosition);
}

TEST_CASE("A record without marks is one step") {
  CHECK(after_record(kPosition, sha1_of(1), "") == next(kPosition, sha1_of(1)));
}

TEST_CASE("A promotion that raises the epoch too far is none, so nobody can use the epochs up") {
  const auto epoch_after = [](std::uint64_t epoch) {
    return static_cast<std::uint64_t>(
        after_record(kPosition, sha1_of(1), promotion_mark(Epoch{epoch})).epoch);
  };
  CHECK(epoch_after(4) == 4);
  CHECK(epoch_after(3 + kMaxStep) == 3 + kMaxStep);
  CHECK(epoch_after(4 + kMaxStep) == 3);
  CHECK(epoch_after(INT64_MAX) == 3);
  CHECK(epoch_after(UINT64_MAX) == 3);
  CHECK(epoch_after(2) == 3);
}

TEST_CASE("A snapshot beyond what can be counted on from is none") {
  const auto after = [](const Position& position) {
    return after_record(kPosition, sha1_of(1), snapshot_mark(position));
  };
  for (const Position& position :
       {Position{Epoch{INT64_MAX}, 1, kDigest}, Position{Epoch{1}, INT64_MAX, kDigest},
        Position{Epoch{1}, UINT64_MAX, kDigest}})
    CHECK(after(position) == next(kPosition, sha1_of(1)));
  const Position last{kMaxEpoch, 2 * kMaxIndex, kDigest};
  CHECK(after(last) == last);
}

TEST_CASE("A position that another server leads to is believed within bounds") {
  const auto believed = [](std::uint64_t epoch, std::uint64_t index) {
    return is_believable(kPosition, Position{Epoch{epoch}, index, kDigest});
  };
  CHECK(believed(3, 18));
  CHECK(believed(0, 0));
  CHECK(believed(3 + kMaxStep, kMaxIndex));
  CHECK_FALSE(believed(4 + kMaxStep, 18));
  CHECK_FALSE(believed(INT64_MAX, 18));
  CHECK_FALSE(believed(3, kMaxIndex + 1));
  CHECK_FALSE(believed(3, INT64_MAX));
}

TEST_CASE("A height is read as it is written, and compares by epoch first") {
  CHECK(Height::parse("3:41") == Height{Epoch{3}, 41});
  CHECK(Height{Epoch{3}, 41}.to_string() == "3:41");
  for (const char* text : {"", "3", "3:", ":3", "3:4:5", "-1:2", "3: 4", "99999999999999999999:0"})
    CHECK_FALSE(Height::parse(text));
  CHECK(Height{Epoch{2}, 100} < Height{Epoch{3}, 1});
  CHECK(Height{Epoch{3}, 1} < Height{Epoch{3}, 2});
}
