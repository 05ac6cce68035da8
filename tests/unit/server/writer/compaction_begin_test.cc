#include <catch2/catch.hpp>
#include <cerrno>

#include "server/writer/database_server.h"
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

/// Knows how often it was lent.
class LentRunner final : public TaskRunner {
 public:
  void post(Task task) override { tasks_.post(std::move(task)); }
  void post_lent(Task task) override {
    ++lent;
    post(std::move(task));
  }
  bool is_current() const override { return tasks_.is_current(); }
  void run() { tasks_.run(); }
  int lent = 0;

 private:
  FakeRunner tasks_;
};

}  // namespace

TEST_CASE("a compaction only borrows the thread on which others have long work") {
  Site site;
  LentRunner background;
  DatabaseServer server{{site.clock, site.files, site.syncer, background, [](std::int64_t) {}}};
  static_cast<void>(
      storage::LogFile::create(site.files, "/e", R"({"name":"E","tables":{}})").value());
  Result<void> outcome = Error{"", "not told", std::nullopt};
  server.call(
      [&] {
        server.add(StoredDatabase::open(site.files, "/e", {}, site.clock).value()).value();
        server.compact(*server.find("E"), [&](const auto& told) { outcome = told; });
      },
      site.runner);
  CHECK(background.lent == 1);
  background.run();
  CHECK(outcome);
}

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
