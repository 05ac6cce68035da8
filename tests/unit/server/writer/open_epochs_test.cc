#include "server/writer/open_epochs.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "tests/support/stopped_clock.h"
#include "tests/support/writer_site.h"

namespace tandem {
namespace {

/// A server with the databases N and S, each on a disk of its own, as backups.
struct TwoBackups {
  TwoBackups() {
    add("N", first);
    add("S", second);
  }
  void add(const std::string& name, test::FakeFileSystem& disk) {
    const std::string path = "/" + name;
    static_cast<void>(
        storage::LogFile::create(disk, path, R"({"name":")" + name + R"(","tables":{}})").value());
    on_writer([&] {
      server.add(StoredDatabase::open(disk, path, {}, clock).value()).value();
      server.set_backup(*server.find(name), true);
    });
  }
  void on_writer(Task task) { server.call(std::move(task), runner); }
  Result<void> open(std::optional<Epoch> above, std::optional<Height> least) {
    Result<void> opened;
    on_writer([&] { opened = open_epochs(server, above, least); });
    return opened;
  }
  Result<void> open_all_the_same() {
    Result<void> opened;
    on_writer([&] {
      opened = open_epochs(server, std::nullopt, std::nullopt, DatabaseServer::IfDamaged::kGiveUp);
    });
    return opened;
  }
  /// Puts a server of the same databases in place of this one's, S having lost its second record.
  void damage_s() {
    on_writer([&] {
      REQUIRE(server.promote(*server.find("S")));
      REQUIRE(server.promote(*server.find("S"), Epoch{1}));
      REQUIRE(server.promote(*server.find("S"), Epoch{2}));
      REQUIRE(server.remove("S"));
      damaged = second.contents("/S");
      damaged[damaged.find("epoch=2")] = 'z';
      second.put("/S", damaged);
      server.add(StoredDatabase::open(second, "/S", {}, clock).value()).value();
    });
  }
  Epoch epoch(const std::string& name) {
    Epoch epoch{};
    on_writer([&] { epoch = server.find(name)->stored->position().epoch; });
    return epoch;
  }

  test::FakeFileSystem first, second;
  test::StoppedClock clock;
  test::NoSyncer syncer;
  FakeRunner runner;
  std::string damaged;
  DatabaseServer server{{clock, first, syncer, runner, [](std::int64_t) {}}};
};

TEST_CASE_METHOD(TwoBackups, "all databases of a server open an epoch above the one that is told") {
  REQUIRE(open(Epoch{6}, std::nullopt));
  CHECK(epoch("N") == Epoch{7});
  CHECK(epoch("S") == Epoch{7});
}

TEST_CASE_METHOD(TwoBackups, "no database opens an epoch if the file of one is damaged") {
  damage_s();
  CHECK_THAT(open(std::nullopt, std::nullopt).error().to_string(),
             Catch::StartsWith("S: the file is damaged at offset "));
  CHECK(epoch("N") == Epoch{0});
  CHECK(epoch("S") == Epoch{1});
  on_writer([&] {
    server.set_backup(*server.find("S"), false);
    CHECK(server.find("S")->is_backup());
  });
  CHECK(second.contents("/S") == damaged);
}

TEST_CASE_METHOD(TwoBackups, "what is behind damage may be given up, and is kept") {
  damage_s();
  REQUIRE(open_all_the_same());
  CHECK(epoch("S") == Epoch{2});
  on_writer([&] {
    CHECK(!server.find("S")->is_backup());
    CHECK(!server.find("S")->stored->is_damaged());
  });
  bool is_kept = false;
  for (const std::string& path : second.paths())
    is_kept = is_kept || (path.starts_with("/S.damaged-") && second.contents(path) == damaged);
  CHECK(is_kept);
}

TEST_CASE_METHOD(TwoBackups, "no database opens an epoch if a copy goes less far than is told") {
  const Result<void> opened = open(std::nullopt, Height{Epoch{1}, 5});
  REQUIRE(opened.has_error());
  CHECK(opened.error().to_string() == "N is at 0:0, behind 1:5: refusing to promote");
  CHECK(epoch("N") == Epoch{});
  CHECK(epoch("S") == Epoch{});
}

TEST_CASE_METHOD(TwoBackups,
                 "the database that decides opens no epoch when another one cannot open its own") {
  second.keep_failing(test::FakeFileSystem::Op::kWrite, ENOSPC);
  CHECK(open(std::nullopt, std::nullopt).has_error());
  CHECK(epoch("N") == Epoch{});
}

}  // namespace
}  // namespace tandem
