#include <catch2/catch.hpp>
#include <cerrno>

#include "server/database/database_server.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

class NoSyncer final : public Syncer {
 public:
  void sync(std::shared_ptr<storage::LogFile> /*log*/, Done done) override { done({}); }
};

class SetClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000; }
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t now_ms = 1000;
};

/// A server with one database in the file "/db".
struct Site {
  Site() {
    static_cast<void>(
        storage::LogFile::create(files, "/db", R"({"name":"D","tables":{}})").value());
    server.call([&] { server.add(StoredDatabase::open(files, "/db", {}, clock).value()).value(); },
                runner);
  }
  ServedDatabase& database() { return *server.find("D"); }
  Result<void> compact() {
    Result<void> outcome = Error{"", "not told", std::nullopt};
    server.call([&] { server.compact(database(), [&](const auto& told) { outcome = told; }); },
                runner);
    runner.run();
    return outcome;
  }

  test::FakeFileSystem files;
  SetClock clock;
  NoSyncer syncer;
  FakeRunner runner;
  DatabaseServer server{{clock, files, syncer, runner, [](std::int64_t) {}}};
};

}  // namespace

TEST_CASE_METHOD(Site, "the next compaction counts from the last one, also from one that failed") {
  CHECK(database().compacted_ms == 1000);
  clock.now_ms = 2000;
  REQUIRE(compact());
  CHECK(database().compacted_ms == 2000);
  clock.now_ms = 3000;
  files.fail(test::FakeFileSystem::Op::kCreate, EACCES);
  CHECK(compact().error().to_string() == "I/O error: /db.tmp: create failed (Permission denied)");
  CHECK(database().compacted_ms == 3000);
  CHECK(!database().compacting);
  clock.now_ms = 4000;
  files.fail(test::FakeFileSystem::Op::kWrite, ENOSPC);
  CHECK(!compact());
  CHECK(database().compacted_ms == 4000);
  clock.now_ms = 5000;
  REQUIRE(compact());
  CHECK(database().compacted_ms == 5000);
}

}  // namespace tandem
