#include <catch2/catch.hpp>
#include <cerrno>

#include "tests/support/writer_site.h"

namespace tandem {
namespace {

struct Site : test::WriterSite {
  Result<void> compact() {
    Result<void> outcome = Error{"", "not told", std::nullopt};
    server.call([&] { server.compact(database(), [&](const auto& told) { outcome = told; }); },
                runner);
    background.run();
    return outcome;
  }
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
  CHECK(database().compacted_ms() == 1000);
  clock.now_ms = 2000;
  REQUIRE(compact());
  CHECK(database().compacted_ms() == 2000);
  clock.now_ms = 3000;
  files.fail(test::FakeFileSystem::Op::kCreate, EACCES);
  CHECK(compact().error().to_string() == "I/O error: /D.tmp: create failed (Permission denied)");
  CHECK(database().compacted_ms() == 3000);
  CHECK(!database().is_compacting());
  clock.now_ms = 4000;
  files.fail(test::FakeFileSystem::Op::kWrite, ENOSPC);
  CHECK(!compact());
  CHECK(database().compacted_ms() == 4000);
  clock.now_ms = 5000;
  REQUIRE(compact());
  CHECK(database().compacted_ms() == 5000);
}

}  // namespace tandem
