#include "server/storage/log_file.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <utility>

#include "server/storage/compaction.h"
#include "tests/support/print.h"
#include "tests/unit/server/storage/log_fixture.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;
using Op = FakeFileSystem::Op;

namespace {

const std::string kTorn = "db.torn-20231114T221320Z";

}  // namespace

TEST_CASE("A new log holds its schema, and what is appended is replayed") {
  FakeFileSystem disk;
  {
    const auto log = LogFile::create(disk, "db", kSchema).value();
    REQUIRE(append(*log, {R"({"a":1})", R"({"b":2})"}));
    REQUIRE(append(*log, {}));
    CHECK(log->size() == disk.contents("db").size());
  }
  CHECK(disk.contents("db") == log_text({R"({"a":1})", R"({"b":2})"}));
  Bodies bodies;
  const auto log = open_log(disk, bodies);
  REQUIRE(log);
  CHECK(bodies.all == std::vector<std::string>{std::string(kSchema), R"({"a":1})", R"({"b":2})"});
  CHECK(!(*log)->tail_error());
}

TEST_CASE("A batch is one write") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  const int before = disk.calls(Op::kWrite);
  REQUIRE(append(*log, std::vector<std::string>(100, "{}")));
  CHECK(disk.calls(Op::kWrite) == before + 1);
}

TEST_CASE("How long writes and flushes took is counted, those that fail among them") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  const auto count = [](const TimeHistogram& times) {
    const TimeHistogram::Totals totals = times.totals();
    return std::accumulate(totals.steps.begin(), totals.steps.end(), std::uint64_t{0});
  };
  REQUIRE(append(*log, {"{}", "{}"}));
  CHECK(count(log->write_times()) == 1);
  REQUIRE(log->sync());
  CHECK(count(log->sync_times()) == 1);
  disk.fail(Op::kSync, EIO);
  CHECK(!log->sync());
  CHECK(count(log->sync_times()) == 2);
}

TEST_CASE("A log is made only where no file is, and survives a power loss at once") {
  FakeFileSystem disk;
  disk.put("old", "x");
  CHECK(LogFile::create(disk, "old", kSchema).error().to_string() ==
        "I/O error: old: create failed (File exists)");
  CHECK(disk.contents("old") == "x");
  REQUIRE(LogFile::create(disk, "db", kSchema));
  disk.power_loss(GENERATE(range<std::uint64_t>(0, 8)));
  CHECK(disk.contents("db") == log_text({}));
}

TEST_CASE("A log that cannot be made leaves nothing behind") {
  FakeFileSystem disk;
  disk.set_capacity(20);
  CHECK(LogFile::create(disk, "db", kSchema).error().to_string() ==
        "I/O error: db: write failed (No space left on device)");
  CHECK(!disk.exists("db"));
}

TEST_CASE("An open log is locked, unless it is only read") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  Bodies bodies;
  auto log = open_log(disk, bodies);
  REQUIRE(log);
  CHECK(open_log(disk, bodies).error().to_string() == "ovsdb error: db: already open");
  CHECK(open_log(disk, bodies, LogFile::Access::kReadOnly));
  log->reset();
  CHECK(open_log(disk, bodies));
}

TEST_CASE("A log that is missing or no standalone database does not open") {
  FakeFileSystem disk;
  Bodies bodies;
  CHECK(open_log(disk, bodies).error().to_string() ==
        "I/O error: db: open failed (No such file or directory)");
  disk.put("db", "xxx\n");
  CHECK(open_log(disk, bodies).error().to_string() == "ovsdb error: db: unexpected file format");
}

TEST_CASE("A log whose schema is bad or refused does not open") {
  FakeFileSystem disk;
  Bodies bodies;
  disk.put("db", log_text({}).substr(0, 80));
  CHECK(open_log(disk, bodies).error().tag == "I/O error");
  disk.put("db", log_text({}));
  const auto refuse = [](const Record& record) -> Result<void> { return record.not_an_object(); };
  CHECK(!LogFile::open(disk, "db", LogFile::Access::kReadWrite, kNow, refuse));
  CHECK(open_log(disk, bodies));  // and the lock is free
}

TEST_CASE("A torn tail is cut by the next append and kept aside") {
  FakeFileSystem disk;
  disk.put("db", log_text({"{}"}) + "xxx\n");
  {
    const auto log = opened(disk);
    REQUIRE(log->tail_error());
    CHECK(log->tail_error()->to_string().ends_with("in header line \"xxx\""));
    CHECK(disk.contents("db") == log_text({"{}"}) + "xxx\n");
    CHECK(!disk.exists(kTorn));
    REQUIRE(append(*log, {R"({"a":1})"}));
  }
  CHECK(disk.contents("db") == log_text({"{}", R"({"a":1})"}));
  CHECK(disk.contents(kTorn) == "xxx\n");
  CHECK(!opened(disk)->tail_error());
}

TEST_CASE("Tails of the same second are kept side by side") {
  FakeFileSystem disk;
  disk.put(kTorn, "earlier");
  disk.put("db", log_text({}) + "later");
  REQUIRE(append(*opened(disk), {"{}"}));
  CHECK(disk.contents(kTorn) == "earlier");
  CHECK(disk.contents(kTorn + "-2") == "later");
}

TEST_CASE("A record that the database refuses ends the log like a torn one") {
  FakeFileSystem disk;
  disk.put("db", log_text({"{}", R"({"invalid":{}})"}));
  const Error refused{"unknown table", "No table named invalid.", R"({"invalid":{}})"};
  const auto replay = [&](const Record& record) -> Result<void> {
    if (record.index == 2) return refused;
    return {};
  };
  const auto log = LogFile::open(disk, "db", LogFile::Access::kReadWrite, kNow, replay);
  REQUIRE(log);
  CHECK((*log)->tail_error() == refused);
  REQUIRE(append(**log, {R"({"a":1})"}));
  CHECK(disk.contents("db") == log_text({"{}", R"({"a":1})"}));
  CHECK(disk.contents(kTorn) == record_text(R"({"invalid":{}})"));
}

TEST_CASE("Zeros at the end are a torn tail, also from within a record on") {
  const std::string good = log_text({"{}"});
  const std::string written = record_text(R"({"a":1})") + record_text(R"({"b":2})");
  const std::size_t kept = GENERATE(0U, 3U, 60U, 65U);
  FakeFileSystem disk;
  disk.put("db", good + written.substr(0, kept) + std::string(written.size() - kept, '\0'));
  const auto log = opened(disk);
  REQUIRE(log->tail_error());
  CHECK(!log->is_damaged());
  CHECK(append(*log, {"{}"}));
}

TEST_CASE("A hole of zeros with a whole record behind it is damage") {
  const std::string good = log_text({"{}"});
  FakeFileSystem disk;
  disk.put("db", good + std::string(100, '\0') + record_text("{}"));
  CHECK(opened(disk)->is_damaged());
}

TEST_CASE("A tail that is kept has its name only when it is whole and on the disk") {
  FakeFileSystem disk;
  disk.put("db", log_text({"{}"}) + "xxx\n");
  disk.put("db.aside", "a part that a crash has left, longer than what comes");
  for (int calls = 0; !disk.exists(kTorn); calls++) {
    REQUIRE(calls < 100);
    const auto log = opened(disk);
    disk.fail_all(EIO, calls);
    (void)append(*log, {"{}"});
    disk.heal_all();
    if (disk.exists(kTorn)) CHECK(disk.contents(kTorn) == "xxx\n");
  }
  REQUIRE(append(*opened(disk), {"{}"}));
  CHECK(!disk.exists("db.aside"));
}

TEST_CASE("A tail that cannot be kept is not cut") {
  FakeFileSystem disk;
  const std::string before = log_text({"{}"}) + "xxx\n";
  disk.put("db", before);
  const auto log = opened(disk);
  disk.set_capacity(before.size() + 1);
  CHECK(append(*log, {"{}"}).error().tag == "I/O error");
  CHECK(disk.contents("db") == before);
  CHECK(!disk.exists(kTorn));
  disk.set_capacity(10000);
  CHECK(append(*log, {"{}"}));
  CHECK(disk.contents(kTorn) == "xxx\n");
}

TEST_CASE("A disk that does not answer is no reason to cut a log") {
  FakeFileSystem disk;
  disk.put("db", log_text({std::string("{\"a\":\"") + std::string(2 << 20, 'x') + "\"}"}));
  disk.fail(Op::kRead, EIO, 2);
  Bodies bodies;
  CHECK(open_log(disk, bodies).error().io_error == "Input/output error");
}

TEST_CASE("A full disk fails the batch, and writing goes on when there is space") {
  FakeFileSystem disk;
  disk.put("db", log_text({"{}"}));
  const auto log = opened(disk);
  disk.set_capacity(log_text({"{}"}).size() + 70);
  CHECK(append(*log, {R"({"a":1})", R"({"b":2})"}).error().to_string() ==
        "I/O error: db: write failed (No space left on device)");
  CHECK(disk.contents("db") == log_text({"{}"}));
  CHECK(append(*log, {R"({"c":3})"}));
  disk.set_capacity(10000);
  CHECK(append(*log, {R"({"d":4})"}));
  CHECK(disk.contents("db") == log_text({"{}", R"({"c":3})", R"({"d":4})"}));
}

TEST_CASE("A log says why nothing can be written to it, until something can again") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  CHECK(log->health().can_write());
  CHECK(log->health().fault().empty());
  disk.fail(Op::kWrite, ENOSPC);
  CHECK(!append(*log, {"{}"}));
  CHECK(!log->health().can_write());
  CHECK(!log->health().stopped);
  CHECK(log->health().fault() == "I/O error: db: write failed (No space left on device)");
  CHECK(append(*log, {"{}"}));
  CHECK(log->health().can_write());
  disk.fail(Op::kSync, EIO);
  CHECK(!log->sync());
  CHECK(log->health().stopped);
  CHECK(log->health().fault() == "I/O error: db: sync failed (Input/output error)");
}

TEST_CASE("A log that nobody writes any more finds out that it can be written again") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  const auto look_in_vain = [&](int times) {
    for (int i = 0; i < times; ++i) CHECK(!log->look_again());
  };
  disk.fail_all(EIO, 0);
  CHECK(!append(*log, {"{}"}));
  look_in_vain(10);
  disk.heal_all();
  const std::string before = disk.contents("db");
  SECTION("at the next look") {
    CHECK(log->look_again());
    CHECK(log->health().can_write());
    CHECK(disk.contents("db") == before);
    CHECK(append(*log, {"{}"}));
  }
  SECTION("but not while somebody tries in vain") {
    for (int i = 0; i < 3; ++i) {
      disk.fail(Op::kWrite, EIO);
      CHECK(!append(*log, {"{}"}));
      look_in_vain(4);
    }
    CHECK(log->look_again());
  }
}

TEST_CASE("A full disk that takes small writes is full until there is room") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  const std::string large(10'000, 'x');
  const auto is_full = [&] { return !log->health().can_write(); };
  disk.set_capacity(disk.used() + 5'000);
  CHECK(!append(*log, {large}));
  CHECK(is_full());
  CHECK(append(*log, {"{}"}));
  CHECK(is_full());
  CHECK(!append(*log, {large}));
  CHECK(append(*log, {"{}"}));
  CHECK(is_full());
  SECTION("seen") {
    disk.set_capacity(disk.used() + (2 << 20));
    CHECK(is_full());
    CHECK(append(*log, {"{}"}));
    CHECK(!is_full());
  }
  SECTION("also though nobody writes any more,") {
    CHECK(!log->look_again());
    CHECK(is_full());
    disk.set_capacity(disk.used() + (2 << 20));
    CHECK(log->look_again());
    CHECK(!is_full());
    CHECK(!log->is_failing());
  }
  SECTION("or found by a compaction,") {
    disk.set_capacity(disk.used() + (2 << 20));
    auto compaction = Compaction::begin(*log).value();
    REQUIRE(compaction->write_snapshot(
        "{}", [rest = std::string_view("{}")]() mutable { return std::exchange(rest, {}); }));
    REQUIRE(compaction->finish());
    CHECK(!is_full());
  }
  SECTION("or used") {
    disk.set_capacity(disk.used() + 20'000);
    CHECK(append(*log, {"{}"}));
    CHECK(is_full());
    CHECK(append(*log, {large}));
    CHECK(!is_full());
  }
  CHECK(disk.contents("db").size() == log->size());
}

TEST_CASE("A write that fails for other reasons than room says nothing of larger ones") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  disk.set_capacity(disk.used() + 20'000);
  disk.fail(Op::kWrite, EIO);
  CHECK(!append(*log, {std::string(10'000, 'x')}));
  CHECK(append(*log, {"{}"}));
  CHECK(log->health().can_write());
}

TEST_CASE("A disk that takes longer than a slow one counts as one that hangs") {
  LogHealth health;
  health.waiting = kDiskPatience - std::chrono::milliseconds(1);
  CHECK(health.can_write());
  health.waiting = kDiskPatience + std::chrono::milliseconds(1500);
  CHECK(health.fault() == "the disk has not answered for 6s");
}

TEST_CASE("What a failed write left is cut later if it cannot be cut at once") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  disk.fail(Op::kWrite, EIO);
  disk.fail(Op::kTruncate, EIO);
  CHECK(!append(*log, {R"({"a":1})"}));
  CHECK(disk.contents("db").size() > log_text({}).size());
  disk.fail(Op::kTruncate, EIO);
  CHECK(append(*log, {"{}"}).error().to_string() ==
        "I/O error: db: truncate failed (Input/output error)");
  CHECK(append(*log, {"{}"}));
  CHECK(disk.contents("db") == log_text({"{}"}));
  CHECK(disk.paths() == std::set<std::string>{".db.~lock~", "db"});
}

TEST_CASE("A failed sync ends all writing") {
  FakeFileSystem disk;
  disk.put("db", log_text({}));
  const auto log = opened(disk);
  REQUIRE(append(*log, {"{}"}));
  disk.fail(Op::kSync, EIO);
  CHECK(log->sync().error().to_string() == "I/O error: db: sync failed (Input/output error)");
  CHECK(!log->sync());
  CHECK(append(*log, {"{}"}).error().to_string() ==
        "I/O error: db: sync failed (Input/output error)");
}

TEST_CASE("A log behind a link is locked and kept where it is") {
  FakeFileSystem disk;
  disk.put_link("db", "data/real.db");
  REQUIRE(LogFile::create(disk, "db", kSchema));
  CHECK(disk.paths() == std::set<std::string>{"data/.real.db.~lock~", "data/real.db"});
  CHECK(opened(disk)->name() == "db");
}

TEST_CASE("Growth counts from the first record after the schema") {
  FakeFileSystem disk;
  disk.put("db", log_text({R"({"snapshot":1})", "{}", "{}"}));
  const auto log = opened(disk);
  CHECK(log->growth().compacted_size == log_text({R"({"snapshot":1})"}).size());
  CHECK(log->growth().commits == 2);
  REQUIRE(append(*log, {"{}"}));
  CHECK(log->growth().commits == 3);
  CHECK(log->growth().size == log->size());
}

TEST_CASE("A power loss takes only what was not synced, and from the end") {
  const int seed = GENERATE(range(0, 200));
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  FakeFileSystem disk;
  std::vector<std::string> all;
  std::size_t synced = 0;
  {
    const auto log = LogFile::create(disk, "db", kSchema).value();
    for (int i = 0; i < 20; i++) {
      std::vector<std::string> batch;
      for (std::size_t n = random() % 4; n > 0; n--)
        batch.push_back("{\"n\":" + std::to_string(random()) + "}");
      if (random() % 5 == 0) {
        disk.fail(Op::kWrite, EIO);
        REQUIRE(!append(*log, batch));
        disk.heal(Op::kWrite);
        continue;
      }
      REQUIRE(append(*log, batch));
      all.insert(all.end(), batch.begin(), batch.end());
      if (random() % 4) continue;
      REQUIRE(log->sync());
      synced = all.size();
    }
    disk.power_loss(random());
  }
  Bodies bodies;
  REQUIRE(open_log(disk, bodies));
  REQUIRE(bodies.all.size() >= 1 + synced);
  CHECK(std::equal(bodies.all.begin() + 1, bodies.all.end(), all.begin()));
}
