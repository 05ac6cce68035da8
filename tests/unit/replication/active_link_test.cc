// How a link reaches an active, whichever form that speaks, and follows one by the monitor form.

#include "tests/unit/replication/active_link_fixture.h"

namespace tandem {
namespace {

using namespace active_link_test;

TEST_CASE(
    "a backup asks who the active is, what it serves, its schema and its contents, and then "
    "replicates") {
  Backup backup;
  backup.reach_monitor();
  CHECK(backup.status().mode == FollowerStatus::Mode::kMonitor);
  CHECK(backup.answer("result", kOneRow) == "monitor");
  CHECK(backup.replica.log == "resync:1 ");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kReplicating);
  backup.notify(kChange);
  backup.replica.finish({});
  CHECK(backup.replica.log == "resync:1 apply:1 ");
  CHECK(backup.status().commits == 1);
}

TEST_CASE("updates that come while the contents are compared are applied after them") {
  Backup backup;
  backup.reach_monitor();
  backup.answer("result", kOneRow);
  backup.notify(kChange);
  CHECK(backup.replica.log == "resync:1 ");
  backup.replica.finish({});
  CHECK(backup.replica.log == "resync:1 apply:1 ");
}

TEST_CASE("a backup that finds itself at the other end stays a backup and says so") {
  Backup backup;
  backup.link.on_connected();
  backup.answer("result", '"' + backup.own_id.to_string() + '"');
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error == "Self replicating is not allowed");
  CHECK(backup.port.sent.empty());
}

TEST_CASE(
    "an active with a column that the backup has not is refused, logged once, and asked again "
    "later") {
  Backup backup;
  const std::string wider =
      R"({"name":"db","version":"1.1.0","tables":{"t":{"columns":{"m":{"type":"integer"},"n":{"type":"integer"}}}}})";
  backup.reach_contents(wider);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error.find("column t.m") != std::string::npos);
  const std::size_t logged = backup.port.logged.size();
  backup.link.tick();
  CHECK(backup.port.sent.empty());
  backup.port.now += 10'000;
  backup.link.tick();
  CHECK(backup.answer("result", wider) == "get_schema");
  CHECK(backup.port.logged.size() - logged <= 1);
}

TEST_CASE("an error reply of the active is shown") {
  Backup backup;
  backup.link.on_connected();
  backup.answer("result", R"("00000000-0000-4000-8000-000000000001")");
  backup.answer("result", R"(["db"])");
  backup.answer("error", R"({"error":"resources exhausted"})");
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error.find("resources exhausted") != std::string::npos);
}

TEST_CASE("an update that does not fit what is held starts over on a new connection") {
  Backup backup;
  backup.reach_monitor();
  backup.answer("result", kOneRow);
  backup.replica.finish({});
  backup.notify(kChange);
  backup.replica.finish(Error{"consistency violation", "change of unknown row", std::nullopt});
  CHECK(backup.port.restarts.size() == 1);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
}

TEST_CASE("an outcome of an earlier connection changes nothing in the next") {
  Backup backup;
  backup.reach_monitor();
  backup.answer("result", kOneRow);
  backup.link.on_disconnected("connection reset");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kConnecting);
  CHECK(backup.status().error == "connection reset");
}

TEST_CASE("an attempt that does not come forward is given up") {
  Backup backup;
  backup.reach_contents();
  backup.port.now += 200'000;
  backup.link.tick();
  CHECK(backup.port.restarts.empty());
  backup.port.now += 200'000;
  backup.link.tick();
  CHECK(backup.port.restarts.size() == 1);
}

TEST_CASE("what fails again and again waits ever longer for its next connection") {
  Backup backup;
  std::vector<std::int64_t> waits_ms;
  for (std::size_t failure = 1; failure <= 9; ++failure) {
    backup.reach_monitor();
    CHECK(backup.answer("result", kOneRow) == "monitor");
    backup.replica.finish(Error{"I/O error", "no space", std::nullopt});
    CHECK(backup.status().state == FollowerStatus::State::kRefused);
    const std::int64_t began = backup.port.now;
    while (backup.port.restarts.size() < failure) {
      backup.port.now += 100;
      backup.link.tick();
    }
    waits_ms.push_back(backup.port.now - began);
    backup.link.on_disconnected("I/O error: no space");
  }
  CHECK(waits_ms == std::vector<std::int64_t>{0, 0, 400, 800, 1600, 3200, 5000, 5000, 5000});
  CHECK(backup.port.sent.empty());
}

TEST_CASE("a database that goes is not monitored any more") {
  Backup backup;
  backup.reach_monitor();
  CHECK(backup.answer("result", kOneRow) == "monitor");
  backup.link.remove("db");
  CHECK(backup.take_sent().find("monitor_cancel") != std::string::npos);
}

TEST_CASE("with leave to do so a backup takes over a schema that has more") {
  Backup backup;
  backup.replica.adopts = true;
  backup.reach_contents(
      R"({"name":"db","version":"1.1.0","tables":{"t":{"columns":{"m":{"type":"integer"},"n":{"type":"integer"}}}}})");
  CHECK(backup.replica.log == "adopt ");
}

}  // namespace
}  // namespace tandem
