#include "server/storage/compaction.h"

#include <catch2/catch.hpp>
#include <thread>

#include "server/storage/log_reader.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/print.h"
#include "tests/unit/server/storage/log_text.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;
using Op = FakeFileSystem::Op;

namespace {

const std::string kOld = log_text({R"({"a":1})", R"({"b":2})", R"({"c":3})"});
const std::string kSnapshot = R"({"all":6})";

Result<std::unique_ptr<LogFile>> open_log(FakeFileSystem& disk, Bodies& bodies) {
  return LogFile::open(disk, "db", LogFile::Access::kReadWrite, {}, bodies.replay());
}

std::vector<std::string> bodies_of(FakeFileSystem& disk) {
  Bodies bodies;
  const auto log = open_log(disk, bodies);
  CHECK((log && !(*log)->tail_error()));
  return bodies.all;
}

Result<void> append(LogFile& log, const std::string& body) {
  const PreparedRecord record = prepare_record(body);
  return log.append({&record, 1});
}

/// Gives a text in pieces of at most `size` bytes.
ChunkSource pieces_of(std::string text, std::size_t size) {
  return [text = std::move(text), size, offset = std::size_t{0}]() mutable {
    const std::string_view piece = std::string_view(text).substr(offset, size);
    offset += piece.size();
    return piece;
  };
}

/// A disk with an open log of three records, ready to be compacted.
struct Fixture {
  FakeFileSystem disk;
  Bodies bodies;
  std::unique_ptr<LogFile> log = [this] {
    disk.put("db", kOld);
    return open_log(disk, bodies).value();
  }();
};

const std::set<std::string> kOnlyTheLog{".db.~lock~", "db"};

}  // namespace

TEST_CASE_METHOD(Fixture, "A compacted log has two records in four lines") {
  {
    auto compaction = Compaction::begin(*log);
    REQUIRE(compaction);
    CHECK(disk.exists("db.tmp"));
    CHECK(disk.exists(".db.tmp.~lock~"));
    REQUIRE((*compaction)->write_snapshot(kSchema, pieces_of(kSnapshot, 3)));
    CHECK(disk.contents("db") == kOld);
    REQUIRE((*compaction)->finish());
  }
  CHECK(disk.paths() == kOnlyTheLog);
  const std::string text = disk.contents("db");
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK(log->size() == text.size());
  CHECK(log->growth().compacted_size == text.size());
  CHECK(log->growth().commits == 0);
  log.reset();
  CHECK(bodies_of(disk) == std::vector<std::string>{std::string(kSchema), kSnapshot});
}

TEST_CASE_METHOD(Fixture, "A snapshot of any size in pieces of any size is one record") {
  const std::size_t piece = GENERATE(1u << 10, (1u << 20) - 1, 1u << 20, 5u << 20);
  const std::string large = "{\"x\":\"" + std::string(3 << 20, 'y') + "\"}";
  auto compaction = Compaction::begin(*log).value();
  REQUIRE(compaction->write_snapshot(kSchema, pieces_of(large, piece)));
  REQUIRE(compaction->finish());
  compaction.reset();
  log.reset();
  CHECK(bodies_of(disk) == std::vector<std::string>{std::string(kSchema), large});
}

TEST_CASE_METHOD(Fixture, "Records appended meanwhile follow the snapshot") {
  auto compaction = Compaction::begin(*log).value();
  REQUIRE(append(*log, R"({"d":4})"));
  REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)));
  REQUIRE(append(*log, R"({"e":5})"));
  disk.fail(Op::kWrite, ENOSPC);
  REQUIRE(!append(*log, R"({"failed":0})"));
  REQUIRE(compaction->finish());
  compaction.reset();
  REQUIRE(append(*log, R"({"f":6})"));
  CHECK(log->growth().commits == 3);
  CHECK(log->size() == disk.contents("db").size());
  log.reset();
  CHECK(bodies_of(disk) == std::vector<std::string>{std::string(kSchema), kSnapshot, R"({"d":4})",
                                                    R"({"e":5})", R"({"f":6})"});
}

TEST_CASE_METHOD(Fixture, "A compaction that is given up leaves the log as it was") {
  {
    auto compaction = Compaction::begin(*log).value();
    REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)));
  }
  CHECK(disk.paths() == kOnlyTheLog);
  CHECK(disk.contents("db") == kOld);
  CHECK(append(*log, "{}"));
}

TEST_CASE_METHOD(Fixture, "A compaction that fails anywhere leaves the log in use") {
  const Op op = GENERATE(Op::kLock, Op::kCreate, Op::kRead, Op::kWrite, Op::kSync, Op::kRename);
  const int skip = GENERATE(range(0, 4));
  disk.fail(op, ENOSPC, skip);
  const bool done = [&] {
    auto compaction = Compaction::begin(*log);
    if (!compaction || !(*compaction)->write_snapshot(kSchema, pieces_of(kSnapshot, 4)))
      return false;
    return (*compaction)->finish().has_value();
  }();
  disk.heal(op);
  CHECK(disk.paths() == kOnlyTheLog);
  if (!done) CHECK(disk.contents("db") == kOld);
  REQUIRE(append(*log, R"({"d":4})"));
  REQUIRE(log->sync());
  log.reset();
  CHECK(bodies_of(disk).back() == R"({"d":4})");
}

TEST_CASE_METHOD(Fixture, "A full disk is told by the name of the new file") {
  disk.set_capacity(kOld.size() + 20);
  auto compaction = Compaction::begin(*log).value();
  CHECK(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)).error().to_string() ==
        "I/O error: db.tmp: write failed (No space left on device)");
}

TEST_CASE_METHOD(Fixture, "What an earlier crash left of a compaction is removed") {
  disk.put("db.tmp", "half of a snapshot");
  disk.put(".db.tmp.~lock~", "");
  auto compaction = Compaction::begin(*log).value();
  REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)));
  REQUIRE(compaction->finish());
  compaction.reset();
  CHECK(disk.paths() == kOnlyTheLog);
}

TEST_CASE_METHOD(Fixture, "A log is compacted once at a time") {
  const auto compaction = Compaction::begin(*log);
  REQUIRE(compaction);
  CHECK(Compaction::begin(*log).error().tag == "I/O error");
  CHECK(disk.exists("db.tmp"));
}

TEST_CASE_METHOD(Fixture, "A log that can no longer be written is not compacted") {
  auto compaction = Compaction::begin(*log).value();
  REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)));
  disk.fail(Op::kSync, EIO);
  REQUIRE(!log->sync());
  CHECK(!compaction->finish());
  compaction.reset();
  CHECK(!Compaction::begin(*log));
  CHECK(disk.contents("db") == kOld);
}

TEST_CASE_METHOD(Fixture, "A replacement whose name may be lost ends all writing") {
  auto compaction = Compaction::begin(*log).value();
  REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)));
  disk.fail(Op::kSyncFolder, EIO);
  CHECK(!compaction->finish());
  CHECK(!append(*log, "{}"));
}

TEST_CASE("Compaction replaces the file behind a link, and keeps a torn tail aside") {
  FakeFileSystem disk;
  disk.put_link("db", "data/real.db");
  disk.put("data/real.db", kOld + "torn");
  Bodies bodies;
  const auto log = open_log(disk, bodies).value();
  auto compaction = Compaction::begin(*log).value();
  CHECK(disk.exists("data/real.db.tmp"));
  REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 100)));
  REQUIRE(compaction->finish());
  compaction.reset();
  CHECK(disk.paths() == std::set<std::string>{"data/.real.db.~lock~", "data/real.db",
                                              "data/real.db.torn-19700101T000000Z"});
}

TEST_CASE("Transactions and syncs go on while a snapshot is written") {
  FakeFileSystem disk;
  disk.put("db", kOld);
  Bodies bodies;
  auto log = open_log(disk, bodies).value();
  std::vector<std::string> expected{std::string(kSchema), kSnapshot};
  std::atomic<bool> stop = false;
  std::thread syncer([&] {
    while (!stop)
      if (!log->sync()) std::abort();
  });
  auto compaction = Compaction::begin(*log).value();
  std::thread background([&] {
    if (!compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 1))) std::abort();
  });
  for (int i = 0; i < 200; i++) {
    expected.push_back("{\"n\":" + std::to_string(i) + "}");
    REQUIRE(append(*log, expected.back()));
  }
  background.join();
  REQUIRE(compaction->finish());
  stop = true;
  syncer.join();
  compaction.reset();
  log.reset();
  CHECK(bodies_of(disk) == expected);
}

TEST_CASE("A power loss during compaction leaves the old log or the new one") {
  const int seed = GENERATE(range(0, 200));
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  FakeFileSystem disk;
  disk.put("db", kOld);
  {
    Bodies bodies;
    const auto log = open_log(disk, bodies).value();
    auto compaction = Compaction::begin(*log).value();
    const auto stage = random() % 3;
    if (stage > 0) REQUIRE(compaction->write_snapshot(kSchema, pieces_of(kSnapshot, 2)));
    disk.fail(Op::kSyncFolder, EIO);
    if (stage > 1) REQUIRE(!compaction->finish());
    disk.power_loss(random());
  }
  const std::vector<std::string> all = bodies_of(disk);
  const std::vector<std::string> compacted{std::string(kSchema), kSnapshot};
  const std::vector<std::string> old{std::string(kSchema), R"({"a":1})", R"({"b":2})",
                                     R"({"c":3})"};
  CHECK((all == old || all == compacted));
}
