// What a database's metrics count of its sessions' transactions.

#include <numeric>

#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

const std::string kInsert = R"(["D",{"op":"insert","table":"T","row":{"n":1}}])";

std::uint64_t events_in(const TimeHistogram& times) {
  const TimeHistogram::Totals totals = times.totals();
  return std::accumulate(totals.steps.begin(), totals.steps.end(), std::uint64_t{0});
}

TEST_CASE("transactions are counted, and those that fail, and how long a commit took") {
  Site site;
  Client client(site);
  const DatabaseFigures& figures = *site.database().figures;
  site.clock.step_us = 10;
  client.ask("transact", kInsert);
  CHECK(figures.transactions == 1);
  CHECK(events_in(figures.commits) == 1);
  CHECK(figures.commits.totals().sum_us >= 10);
  CHECK_THAT(client.ask("transact", R"(["D",{"op":"abort"}])"), Catch::Contains("aborted"));
  client.ask("transact", R"(["D",{"op":"select","table":"T","where":[]}])");
  CHECK(figures.transactions == 3);
  CHECK(figures.failed == 1);
  CHECK(events_in(figures.commits) == 1);
  client.ask("transact", R"(["D",{"op":"insert","table":"T","row":{}},)"
                         R"({"op":"commit","durable":true}])");
  CHECK(figures.transactions == 4);
  CHECK(events_in(figures.commits) == 2);
}

TEST_CASE("a commit that the disk refuses is an error, and no commit") {
  Site site;
  Client client(site);
  site.files.fail(test::FakeFileSystem::Op::kWrite, ENOSPC);
  client.ask("transact", kInsert);
  CHECK(site.database().figures->failed == 1);
  CHECK(events_in(site.database().figures->commits) == 0);
}

TEST_CASE(
    "a commit takes as long as its gate is closed, and its delivery until it is acknowledged") {
  Site site;
  Client writer(site);
  Client backup(site);
  const DatabaseFigures& figures = *site.database().figures;
  writer.ask("transact", kInsert);
  backup.follow(kBackup, site.position());
  backup.acknowledge(site.position());
  CHECK(events_in(figures.deliveries) == 0);  // it had that when it came
  site.server.call(
      [&] { site.server.set_sync({.replicas = 1, .fallback = CommitGate::Fallback::kBlock}); },
      site.shard);
  const std::uint64_t before_us = figures.commits.totals().sum_us;
  writer.ask("transact", kInsert);
  writer.ask("transact", kInsert);
  CHECK(events_in(figures.commits) == 1);
  site.clock.now += 7;
  backup.acknowledge(site.position());
  CHECK(events_in(figures.commits) == 3);
  CHECK(figures.commits.totals().sum_us - before_us == 2 * 7000);
  CHECK(events_in(figures.deliveries) == 2);
  CHECK(figures.deliveries.totals().sum_us == 2 * 7000);
  backup.acknowledge(site.position());
  CHECK(events_in(figures.deliveries) == 2);
}

TEST_CASE("a commit that has waited for another one does not count with its time") {
  Site site;
  Client client(site);
  Client other(site);
  client.ask("transact", R"(["D",{"op":"wait","table":"T","where":[],"columns":["n"],"until":"==",)"
                         R"("rows":[{"n":1}]},{"op":"insert","table":"T","row":{}}])");
  CHECK(site.database().figures->transactions == 0);
  CHECK(site.database().blocked.size() == 1);
  other.ask("transact", kInsert);
  CHECK(site.database().figures->transactions == 2);
  CHECK(events_in(site.database().figures->commits) == 1);
}

TEST_CASE("promotions and compactions are counted") {
  Site site;
  const DatabaseFigures& figures = *site.database().figures;
  site.server.call(
      [&] {
        site.server.set_backup(site.database(), true);
        CHECK(site.server.promote(site.database()));
        CHECK(site.server.promote(site.database()));  // it is active
        site.server.compact(site.database(), [](const Result<void>&) {});
      },
      site.shard);
  site.run();
  CHECK(figures.promotions == 1);
  CHECK(figures.compactions == 1);
  CHECK(figures.failed_compactions == 0);
  site.files.fail(test::FakeFileSystem::Op::kCreate, EACCES);
  site.server.call([&] { site.server.compact(site.database(), [](const Result<void>&) {}); },
                   site.shard);
  site.run();
  CHECK(figures.compactions == 1);
  CHECK(figures.failed_compactions == 1);
}

TEST_CASE("a hub tells how many sessions and monitors it has") {
  Site site;
  Client client(site);
  client.ask("monitor", R"(["D","m",{"T":{}}])");
  CHECK(site.hub.usage().monitors == 1);
  {
    const Client other(site);
    CHECK(site.hub.usage().sessions == 2);
  }
  CHECK(site.hub.usage().sessions == 1);
}

}  // namespace
}  // namespace tandem
