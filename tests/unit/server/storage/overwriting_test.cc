#include "server/storage/overwriting.h"

#include <catch2/catch.hpp>

#include "server/storage/compaction.h"
#include "server/storage/log_reader.h"
#include "tests/support/print.h"
#include "tests/unit/server/storage/log_fixture.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;
using Op = FakeFileSystem::Op;

namespace {

using Lines = std::vector<std::string>;

const std::string kSnapshot = R"({"all":6})";
const std::string kMeanwhile = R"({"d":4})";
const std::string kOldText = log_text({R"({"a":1})", R"({"b":2})", R"({"c":3})"});
const Lines kOld{std::string(kSchema), R"({"a":1})", R"({"b":2})", R"({"c":3})", kMeanwhile};
const Lines kNew{std::string(kSchema), kSnapshot, kMeanwhile};
constexpr int kCalls = 35;  // of the disk, and more than an overwriting makes
const std::set<std::string> kOnlyTheLog{".db.~lock~", "db"};

Lines bodies_of(FakeFileSystem& disk) {
  Bodies bodies;
  const auto log = open_log(disk, bodies);
  REQUIRE(log);
  CHECK(!(*log)->tail_error());
  CHECK(!(*log)->is_damaged());
  return bodies.all;
}

ChunkSource once(std::string text) {
  return [text = std::move(text), given = false]() mutable {
    return std::exchange(given, true) ? std::string_view() : std::string_view(text);
  };
}

/// A log whose name no other file can take, and a compaction of it that only has to be finished.
/// One record was appended meanwhile.
struct Fixture {
  explicit Fixture(const std::string& snapshot = kSnapshot) {
    disk.put("db", kOldText);
    disk.put_mount("db");
    log = open_log(disk, bodies).value();
    compaction = Compaction::begin(*log).value();
    if (!append(*log, {kMeanwhile}) || !log->sync() ||
        !compaction->write_snapshot(kSchema, once(snapshot)))
      throw std::logic_error("the disk does not work");
  }

  /// As the process that is killed.
  void end() {
    compaction.reset();
    log.reset();
    disk.release_locks();
    disk.heal_all();
  }

  FakeFileSystem disk;
  Bodies bodies;
  std::unique_ptr<LogFile> log;
  std::unique_ptr<Compaction> compaction;
};

}  // namespace

TEST_CASE("A log that cannot be replaced is overwritten") {
  const int error = GENERATE(EBUSY, EXDEV, EPERM, EACCES);
  Fixture it;
  it.disk.keep_failing(Op::kRename, error);
  REQUIRE(it.compaction->finish());
  CHECK(it.compaction->took_place());
  it.compaction.reset();
  CHECK(it.disk.paths() == kOnlyTheLog);
  CHECK(it.disk.contents("db").starts_with(log_text({})));
  CHECK(it.log->size() == it.disk.contents("db").size());
  CHECK(it.log->growth().commits == 1);
  CHECK(it.log->growth().compacted_size == it.log->size() - record_text(kMeanwhile).size());
  REQUIRE(append(*it.log, {R"({"e":5})"}));
  it.log.reset();
  CHECK(bodies_of(it.disk) == Lines{std::string(kSchema), kSnapshot, kMeanwhile, R"({"e":5})"});
}

TEST_CASE("What is compacted may be larger than it was") {
  const std::string large = "{\"x\":\"" + std::string(3 << 20, 'y') + "\"}";
  Fixture it(large);
  REQUIRE(it.compaction->finish());
  it.end();
  CHECK(bodies_of(it.disk) == Lines{std::string(kSchema), large, kMeanwhile});
}

TEST_CASE("A log can be overwritten again and again") {
  Fixture it;
  for (int i = 0; i < 3; i++) {
    REQUIRE(it.compaction->finish());
    it.compaction.reset();
    REQUIRE(append(*it.log, {kMeanwhile}));
    it.compaction = Compaction::begin(*it.log).value();
    REQUIRE(it.compaction->write_snapshot(kSchema, once(kSnapshot)));
  }
  it.end();
  CHECK(bodies_of(it.disk) == kNew);
}

TEST_CASE("A process that ends between any two calls of the disk loses nothing") {
  const int calls = GENERATE(range(0, kCalls));
  Fixture it;
  it.disk.fail_all(EIO, calls);
  const bool done = it.compaction->finish().has_value();
  it.end();
  // The next one may end as well, anywhere on the way.
  for (int more = 0; more < kCalls; more++) {
    it.disk.fail_all(EIO, more);
    {
      Bodies bodies;
      (void)open_log(it.disk, bodies);
    }
    it.disk.heal_all();
    it.disk.release_locks();
  }
  const Lines found = bodies_of(it.disk);
  CHECK((found == kNew || (!done && found == kOld)));
  Bodies bodies;
  const auto log = open_log(it.disk, bodies).value();
  REQUIRE(append(*log, {"{}"}));
  for (const std::string& path : it.disk.paths()) CHECK(path.find("torn") == std::string::npos);
}

TEST_CASE("Another program finds all records or no database, whenever the machine loses power") {
  const int calls = GENERATE(range(0, kCalls));
  for (std::uint64_t seed = 0; seed < 40; seed++) {
    Fixture it;
    it.disk.fail_all(EIO, calls);
    (void)it.compaction->finish();
    it.disk.power_loss(seed);
    it.end();
    const auto file = it.disk.open("db", LogFile::Access::kReadOnly).value();
    if (!check_file_type(*file, "db")) continue;
    LogReader reader(*file, "db");
    Lines found;
    while (true) {
      const auto record = reader.next();
      if (!record || !*record) break;
      found.emplace_back((*record)->body.substr(0, (*record)->body.size() - 1));
    }
    CHECK((found.empty() || found == kOld || found == kNew));
  }
}

TEST_CASE("A machine that loses power between any two calls of the disk loses nothing") {
  const int calls = GENERATE(range(0, kCalls));
  for (std::uint64_t seed = 0; seed < 40; seed++) {
    Fixture it;
    it.disk.fail_all(EIO, calls);
    (void)it.compaction->finish();
    it.disk.power_loss(seed);
    it.end();
    it.disk.fail_all(EIO, static_cast<int>(seed % kCalls));
    {
      Bodies bodies;
      (void)open_log(it.disk, bodies);
    }
    it.disk.power_loss(seed + 1);
    it.disk.heal_all();
    Bodies bodies;
    const auto log = open_log(it.disk, bodies);
    REQUIRE(log);
    CHECK(!(*log)->is_damaged());
    CHECK((bodies.all == kNew || bodies.all == kOld));
  }
}

TEST_CASE("A disk without room for two copies leaves the log as it was") {
  Fixture it;
  it.disk.set_capacity(it.disk.used() + 40);
  CHECK(it.compaction->finish().error().to_string() ==
        "I/O error: db: write failed (No space left on device)");
  CHECK(!it.compaction->took_place());
  it.compaction.reset();
  CHECK(it.disk.paths() == kOnlyTheLog);
  CHECK(it.disk.contents("db") == kOldText + record_text(kMeanwhile));
  it.disk.set_capacity(UINT64_MAX);
  REQUIRE(append(*it.log, {"{}"}));
}

TEST_CASE(
    "Nothing is appended to a log that could be overwritten in part only, until it is whole") {
  Fixture it;
  // After opening line, contents and closing line: the start, the contents but for it, the start.
  it.disk.keep_failing(Op::kWrite, ENOSPC, GENERATE(3, 4, 5));
  CHECK(!it.compaction->finish());
  CHECK(it.compaction->took_place());
  CHECK(it.log->health().fault() == "I/O error: db: write failed (No space left on device)");
  it.compaction.reset();
  const auto refused = append(*it.log, {"{}"});
  CHECK(refused.error().to_string() == "I/O error: db: write failed (No space left on device)");
  CHECK(it.log->sync());
  it.disk.heal(Op::kWrite);
  REQUIRE(append(*it.log, {R"({"e":5})"}));
  CHECK(it.log->health().can_write());
  it.log.reset();
  CHECK(bodies_of(it.disk) == Lines{std::string(kSchema), kSnapshot, kMeanwhile, R"({"e":5})"});
}

TEST_CASE("What was staged stays until its place has it for certain") {
  Fixture it;
  // After those of NAME.tmp and of what is staged.
  it.disk.keep_failing(Op::kSync, EIO, GENERATE(2, 3, 4));
  CHECK(!it.compaction->finish());
  CHECK(it.compaction->took_place());
  it.disk.power_loss(GENERATE(range<std::uint64_t>(0, 20)));
  it.end();
  CHECK(bodies_of(it.disk) == kNew);
}

TEST_CASE("A reader gets what is staged") {
  Fixture it;
  it.disk.keep_failing(Op::kWrite, EIO, 3);
  CHECK(!it.compaction->finish());
  it.end();
  const std::string before = it.disk.contents("db");
  Bodies bodies;
  const auto log = open_log(it.disk, bodies, LogFile::Access::kReadOnly);
  REQUIRE(log);
  CHECK(bodies.all == kNew);
  CHECK(!(*log)->tail_error());
  CHECK(it.disk.contents("db") == before);
  CHECK(bodies_of(it.disk) == kNew);
}

TEST_CASE("Contents that are complete by their closing line alone are not taken") {
  FakeFileSystem disk;
  disk.put("db", kOldText);
  disk.put("new", log_text({kSnapshot}));
  const auto file = disk.open("db", LogFile::Access::kReadWrite).value();
  const auto contents = disk.open("new", LogFile::Access::kReadOnly).value();
  REQUIRE(stage_contents(*file, kOldText.size(), *contents, contents->size().value()));
  REQUIRE(find_staged(*file).value());
  std::string text = disk.contents("db");
  const auto hole = static_cast<std::size_t>(find_staged(*file).value()->begin) + 20;
  text.replace(hole, 16, 16, '\0');
  disk.put("db", text);
  CHECK(bodies_of(disk) == Lines{std::string(kSchema), R"({"a":1})", R"({"b":2})", R"({"c":3})"});
}

TEST_CASE("A closing line that lies is none") {
  const std::string numbers = GENERATE(
      "00000000000000000000 00000000000000000000", "00000000000000000300 00000000000000000400",
      "18446744073709551615 00000000000000000001", "99999999999999999999 99999999999999999999",
      "-0000000000000000001 00000000000000000001", "                   1                    1");
  FakeFileSystem disk;
  disk.put("db", kOldText + "TANDEM COMPACTED " + numbers + " " + std::string(40, '0') + "\n");
  const auto file = disk.open("db", LogFile::Access::kReadOnly).value();
  CHECK(!find_staged(*file).value());
}

TEST_CASE("The disk has given all the room before anything is overwritten") {
  FakeFileSystem disk;
  disk.put("db", kOldText);
  disk.put("new", log_text({"{\"x\":\"" + std::string(2 << 20, 'y') + "\"}"}));
  const auto file = disk.open("db", LogFile::Access::kReadWrite).value();
  const auto contents = disk.open("new", LogFile::Access::kReadOnly).value();
  REQUIRE(stage_contents(*file, kOldText.size(), *contents, contents->size().value()));
  CHECK(disk.contents("db").find('\0') == std::string::npos);
}

TEST_CASE("Another file that has got the name meanwhile is not overwritten") {
  Fixture it;
  const std::string other = log_text({R"({"other":1})"});
  it.disk.put("db", other);
  CHECK(it.compaction->finish().error().to_string() ==
        "I/O error: db: open failed (Stale file handle)");
  CHECK(!it.compaction->took_place());
  CHECK(it.disk.contents("db") == other);
}

TEST_CASE("A log whose rest was cut off, but perhaps not for good, ends all writing") {
  Fixture it;
  it.disk.fail(Op::kSync, EIO, 5);  // the last one
  CHECK(it.compaction->finish().error().to_string() ==
        "I/O error: db: sync failed (Input/output error)");
  CHECK(it.compaction->took_place());
  CHECK(it.log->health().stopped);
  it.disk.power_loss(GENERATE(range<std::uint64_t>(0, 10)));
  it.end();
  CHECK(bodies_of(it.disk) == kNew);
}

TEST_CASE("An error of the disk that the overwriting got over ends no writing later") {
  Fixture it;
  it.disk.fail(Op::kSync, EIO, GENERATE(2, 3, 4));
  CHECK(!it.compaction->finish());
  REQUIRE(append(*it.log, {R"({"e":5})"}));
  CHECK(it.log->sync());
  CHECK(it.log->health().can_write());
}

TEST_CASE("A log that is being overwritten hangs when one call hangs, not when all take long") {
  using Clock = std::chrono::steady_clock;
  Fixture it;
  bool counts = true;
  bool counts_from_the_answer = true;
  auto answered = Clock::now();
  const auto look = [&] {
    const auto waiting = it.log->health().waiting;
    counts_from_the_answer = counts_from_the_answer && waiting <= Clock::now() - answered;
    const auto give_up = Clock::now() + std::chrono::seconds(10);
    while (it.log->health().waiting.count() == 0 && Clock::now() < give_up) {
    }
    counts = counts && it.log->health().waiting.count() > 0;
    answered = Clock::now();
  };
  for (const Op op : {Op::kRead, Op::kWrite, Op::kSync, Op::kTruncate})
    it.disk.during_each(op, look);
  REQUIRE(it.compaction->finish());
  CHECK(counts);
  CHECK(counts_from_the_answer);
  CHECK(it.log->health().waiting.count() == 0);
}

TEST_CASE("A reader is told that the file was overwritten meanwhile, not that it is damaged") {
  const std::string large(2 << 20, 'x');
  const bool is_finished = GENERATE(true, false);
  FakeFileSystem disk;
  disk.put("db", log_text({large, large, large}));
  disk.put_mount("db");
  const auto file = disk.open("db", LogFile::Access::kReadOnly).value();
  LogReader reader(*file, "db");
  for (int record = 0; record < 2; record++) REQUIRE(reader.next().value());
  const auto log = opened(disk);
  auto compaction = Compaction::begin(*log).value();
  REQUIRE(compaction->write_snapshot(kSchema, once(kSnapshot)));
  if (!is_finished) disk.fail(Op::kTruncate, EIO);
  CHECK(compaction->finish().has_value() == is_finished);
  // Old records that nothing was written over are still there.
  auto next = reader.next();
  while (next && *next) next = reader.next();
  CHECK(next.error().to_string() ==
        "ovsdb error: db: was compacted or cut off while it was read; try again");
  CHECK(reader.end() == LogEnd::kNoRead);
}

TEST_CASE("A reader that opened a file before it was overwritten is told to try again") {
  Fixture it;
  const auto file = it.disk.open("db", LogFile::Access::kReadOnly).value();
  it.disk.fail(Op::kWrite, EIO, 4);  // of the contents in their place
  CHECK(!it.compaction->finish());
  CHECK(check_file_type(*file, "db").error().to_string() ==
        "ovsdb error: db: is being compacted; try again");
}

TEST_CASE("A reader does not see what is being staged") {
  Fixture it;
  it.disk.keep_failing(Op::kTruncate, EIO);
  it.disk.fail(Op::kWrite, EIO, 1);  // after the opening line
  CHECK(!it.compaction->finish());
  const auto file = it.disk.open("db", LogFile::Access::kReadOnly).value();
  LogReader reader(*file, "db");
  for (std::size_t record = 0; record < kOld.size(); record++) REQUIRE(reader.next().value());
  CHECK(!reader.next().value());
  CHECK(reader.end() == LogEnd::kClean);
  CHECK(it.disk.contents("db").size() > reader.end_of_records());
}
