#include <catch2/catch.hpp>

#include "server/storage/compaction.h"
#include "server/storage/log_file.h"
#include "tests/support/print.h"
#include "tests/unit/server/storage/log_fixture.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;
using Op = FakeFileSystem::Op;

namespace {

const std::string kDamaged = "db.damaged-20231114T221320Z";

std::unique_ptr<LogFile> opened_read_only(FakeFileSystem& disk) {
  Bodies bodies;
  return open_log(disk, bodies, LogFile::Access::kReadOnly).value();
}

}  // namespace

TEST_CASE("A record that the database refuses, with whole ones behind it, is damage") {
  FakeFileSystem disk;
  disk.put("db", log_text({"{}", R"({"invalid":{}})", "{}"}));
  const auto replay = [&](const Record& record) -> Result<void> {
    if (record.index == 2) return record.not_an_object();
    return {};
  };
  const auto log = LogFile::open(disk, "db", LogFile::Access::kReadWrite, kNow, replay).value();
  REQUIRE(log->is_damaged());
  CHECK(log->health().damage->whole_behind == 1);
}

TEST_CASE("A crash while a damaged file is kept leaves nothing that looks like a kept one") {
  FakeFileSystem disk;
  std::string damaged = log_text({R"({"a":1})", R"({"b":2})", "{}"});
  damaged[damaged.find("\"b\"") + 1] = 'z';
  disk.put("db", damaged);
  disk.put("db.aside", damaged + "what an earlier crash has left");
  for (int calls = 0; !disk.exists(kDamaged); calls++) {
    REQUIRE(calls < 100);
    const auto log = opened(disk);
    disk.fail_all(EIO, calls);
    (void)log->set_damage_aside();
    disk.heal_all();
    if (disk.exists(kDamaged)) CHECK(disk.contents(kDamaged) == damaged);
  }
}

TEST_CASE("Nothing is written to a damaged file, and nothing of it is lost") {
  const std::string whole = log_text({R"({"a":1})", R"({"b":2})", R"({"c":3})", R"({"d":4})"});
  std::string damaged = whole;
  damaged[damaged.find("\"b\"") + 1] = 'z';
  const std::string before = log_text({R"({"a":1})"});
  FakeFileSystem disk;
  disk.put("db", damaged);
  const auto log = opened(disk);
  const std::optional<Damage> damage = log->health().damage;
  REQUIRE(damage);
  CHECK(damage->offset == before.size());
  CHECK(damage->bytes == damaged.size() - before.size());
  CHECK(damage->record == 2);
  CHECK(damage->whole_behind == 2);
  CHECK(!log->health().can_write());
  CHECK_THAT(log->health().fault(), Catch::StartsWith("the file is damaged at offset "));

  CHECK(append(*log, {"{}"}).error().tag == "not allowed");
  CHECK(Compaction::begin(*log).error().tag == "not allowed");
  CHECK(disk.contents("db") == damaged);

  SECTION("until other contents take its place") {
    REQUIRE(log->set_damage_aside());
    CHECK(disk.contents(kDamaged) == damaged);
    CHECK(disk.contents("db") == before);
    REQUIRE(append(*log, {"{}"}));
    CHECK(log->health().damage);  // it has not all that it once had
    REQUIRE(log->mend());
    CHECK(log->health().can_write());
    CHECK(!disk.exists("db.mending"));
    CHECK(!opened_read_only(disk)->is_damaged());
  }
  SECTION("and a crash before it has got back what it lost makes nothing whole") {
    REQUIRE(log->set_damage_aside());
    REQUIRE(append(*log, {"{}"}));
    REQUIRE(log->sync());
    disk.power_loss(1);
    const auto again = opened(disk);
    REQUIRE(again->is_damaged());
    CHECK(again->health().damage->offset == damage->offset);
    CHECK(again->health().damage->whole_behind == 2);
    CHECK_THAT(again->health().fault(), Catch::StartsWith("the file was damaged at offset ") &&
                                            Catch::EndsWith("has not got back what it lost"));
    REQUIRE(append(*again, {"{}"}));
    REQUIRE(again->mend());
    CHECK(!opened_read_only(disk)->is_damaged());
    CHECK(disk.contents(kDamaged) == damaged);
    CHECK(!disk.exists("db.mending"));
  }
  SECTION("nor if that cannot be kept aside") {
    disk.set_capacity(damaged.size() + 10);
    CHECK(log->set_damage_aside().error().tag == "I/O error");
    CHECK(log->mend().error().tag == "I/O error");
    CHECK(disk.contents("db") == damaged);
    CHECK(!disk.exists(kDamaged));
    CHECK(log->is_damaged());
    disk.set_capacity(10'000);
    REQUIRE(log->mend());
    CHECK(disk.contents(kDamaged) == damaged);
  }
  SECTION("and it is kept once, though the cut fails") {
    disk.fail(Op::kTruncate, EIO);
    CHECK(!log->set_damage_aside());
    CHECK(append(*log, {"{}"}).error().tag == "not allowed");
    REQUIRE(log->set_damage_aside());
    CHECK(disk.contents(kDamaged) == damaged);
    CHECK(!disk.exists(kDamaged + "-2"));
  }
}
