#include "server/control/journal.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>

#include "tests/unit/server/net/net_fixture.h"

namespace tandem::control {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
const std::string kRenew = " - put a new one in its place: it is read by itself\n";

/// A server's status, and what the journal logs of it.
struct Fixture {
  Fixture() {
    status.databases.resize(1);
    status.databases[0].name = "D";
    status.now_wall_ms = 100 * kDayMs;
    look();
  }
  void look() { journal.look(status); }
  void add_certificate(int days) {
    const auto now = net::KeyFile::Time(std::chrono::milliseconds(status.now_wall_ms));
    status.key_files = {
        {net::KeyFile::Kind::kCertificate, "/c", "", now + std::chrono::hours(24 * days)}};
    look();
  }
  /// What was logged since the last call.
  std::string said() {
    const std::string all = log.text();
    std::string fresh = all.substr(seen);
    seen = all.size();
    return fresh;
  }

  net::test::LogCapture log;
  std::size_t seen = log.text().size();
  ServerStatus status;
  Journal journal;
};

TEST_CASE_METHOD(Fixture, "a server that is well has nothing to say") { CHECK(said().empty()); }

TEST_CASE_METHOD(Fixture, "a disk that hangs is told of once, and once that it answers again") {
  for (const int seconds : {4, 5, 10}) {
    status.databases[0].health.waiting = std::chrono::seconds(seconds);
    look();
  }
  CHECK(
      said() ==
      "ovsdb_server|WARN|D: the disk has not answered for 5s - look at the disk (dmesg); move the "
      "role to a copy that is in sync\n");
  // A write that fails is logged where it does, and the disk has answered.
  status.databases[0].health.waiting = std::chrono::seconds(0);
  status.databases[0].health.failure = Error{"I/O error", "D", std::nullopt};
  look();
  CHECK(said() == "ovsdb_server|INFO|D: the disk answers again\n");
}

TEST_CASE_METHOD(Fixture,
                 "a log file that takes no lines is told of once, and that it does again") {
  status.log_file.path = "/l";
  look();
  status.log_file.write_error = ENOSPC;
  look();
  look();
  CHECK(said() ==
        "ovsdb_server|WARN|log file: /l: the last line was not written (No space left on device) - "
        "make room on its disk\n");
  status.log_file.write_error = 0;
  look();
  CHECK(said() == "ovsdb_server|INFO|log file: lines are written again\n");
}

TEST_CASE_METHOD(Fixture, "a certificate is spoken of from a fortnight before its end") {
  add_certificate(15);
  CHECK(said().empty());
  status.now_wall_ms += kDayMs;
  look();
  look();
  CHECK(said() ==
        "ovsdb_server|WARN|certificate /c: runs out at 1970-04-26T00:00:00.000Z" + kRenew);
  status.now_wall_ms += 14 * kDayMs;
  look();
  look();
  CHECK(said() ==
        "ovsdb_server|WARN|certificate /c: has run out at 1970-04-26T00:00:00.000Z" + kRenew);
  // One that cannot be used at all is none that is well.
  status.key_files[0].problem = "too short";
  look();
  CHECK(said().empty());
  add_certificate(14);
  CHECK(said() ==
        "ovsdb_server|WARN|certificate /c: runs out at 1970-05-10T00:00:00.000Z" + kRenew);
  add_certificate(15);
  CHECK(said() == "ovsdb_server|INFO|certificate /c: does not run out soon any more\n");
}

TEST_CASE_METHOD(Fixture, "a certificate of the future is told of, and that its time has come") {
  add_certificate(100);
  CHECK(said().empty());
  status.key_files[0].start =
      net::KeyFile::Time(std::chrono::milliseconds(status.now_wall_ms + kDayMs));
  look();
  look();
  CHECK(said() ==
        "ovsdb_server|WARN|certificate /c: is not valid before 1970-04-12T00:00:00.000Z - "
        "look at the clock of this host, and of who made it\n");
  status.now_wall_ms += kDayMs;
  look();
  CHECK(said() == "ovsdb_server|INFO|certificate /c: is valid now\n");
}

TEST_CASE_METHOD(Fixture, "commits that wait for backups are told of, and that they do no longer") {
  status.databases[0].entry.gate.replicas = 1;
  status.databases[0].entry.gate.waiting_ms = 4999;
  look();
  CHECK(said().empty());
  for (const std::int64_t ms : {5000, 9000}) {
    status.databases[0].entry.gate.waiting_ms = ms;
    look();
  }
  CHECK(said() ==
        "ovsdb_server|WARN|D: commits have waited 5s for backups to acknowledge them (0 of 1 in "
        "sync) - bring a backup back, or let commits go on without (tandem-ctl sync-replicas 0)\n");
  status.databases[0].entry.gate.waiting_ms = 0;
  look();
  CHECK(said() == "ovsdb_server|INFO|D: commits wait for backups no longer\n");
}

/// An active with databases "D", and backups that follow it.
struct Active : Fixture {
  GateStatus& gate() { return status.databases[0].entry.gate; }
  std::vector<FeedStatus>& feeds() { return status.databases[0].entry.followers; }
  FeedStatus& join(const std::string& name, const std::string& address) {
    FeedStatus feed;
    feed.name = name;
    feed.address = address;
    feed.in_sync = true;
    return feeds().emplace_back(feed);
  }
  void pass(std::int64_t ms) {
    for (const std::int64_t end = status.now_ms + ms; status.now_ms < end; look())
      status.now_ms += Journal::kLookMs;
  }
  std::vector<std::string> events() const {
    std::vector<std::string> texts;
    for (const Event& event : journal.events()) texts.push_back(event.text);
    return texts;
  }
};

TEST_CASE_METHOD(Active,
                 "backups that join, fall behind, catch up, come back and leave are told of") {
  join("b", "tcp:1").in_sync = false;
  status.databases[0].entry.position.index = 7;
  look();
  CHECK(said() == "ovsdb_server|INFO|D: backup b (tcp:1) joined, 7 records behind\n");
  feeds()[0].in_sync = true;
  feeds()[0].acknowledged.index = 7;
  look();
  CHECK(said() == "ovsdb_server|INFO|D: backup b (tcp:1) is in sync\n");
  status.databases[0].entry.position.index = 8;
  feeds()[0].in_sync = false;
  look();
  CHECK(said() == "ovsdb_server|INFO|D: backup b (tcp:1) fell behind, by 1 record\n");
  feeds().clear();
  join("b", "tcp:2");
  look();
  CHECK(said() == "ovsdb_server|INFO|D: backup b (tcp:2) came back, in sync\n");
  feeds().clear();
  look();
  look();
  CHECK(said() == "ovsdb_server|INFO|D: backup b (tcp:2) left\n");
  CHECK(events().size() == 5);
}

TEST_CASE_METHOD(Active, "strangers who come in numbers are counted") {
  for (int i = 0; i < 60; ++i) join(std::string(1000, 'x'), "tcp:" + std::to_string(i));
  look();
  const std::string lines = said();
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 6);
  CHECK_THAT(lines, Catch::Contains("D: and so did 55 others\n"));
  CHECK(lines.size() < 2000);
}

TEST_CASE_METHOD(Active, "strangers who come and go push nothing else out of the journal") {
  status.now_ms = 1000;
  status.role_changes = {{RoleState::kActive, 1}};
  look();
  for (int i = 0; i < 200; ++i) {
    feeds().clear();
    join("x", "tcp:" + std::to_string(i));
    look();
  }
  CHECK(events().size() == Journal::kMostOfAKind + 1);
  CHECK(events().back() == "role: active");
}

TEST_CASE_METHOD(
    Active, "too few backups are told of when that lasts, again while it does, and at its end") {
  gate() = {.replicas = 2, .in_sync = 1, .degraded = true, .missed = 4};
  look();
  CHECK_THAT(said(), Catch::Contains("D: 4 commits were acknowledged that fewer than 2 backups"));
  pass(2000);
  CHECK(said().empty());
  gate().missed = 9;
  pass(2000);
  CHECK(said() ==
        "ovsdb_server|WARN|D: 1 of 2 backups in sync, so commits are acknowledged without them (9 "
        "until now) - bring a backup back, or expect fewer (tandem-ctl sync-replicas 1)\n");
  pass(595'000);
  CHECK(said().empty());
  pass(10'000);
  CHECK_THAT(said(), Catch::StartsWith("ovsdb_server|WARN|for 10 min 3 s now: D: 1 of 2 backups"));
  gate() = {.replicas = 2, .in_sync = 2, .missed = 9};
  look();
  CHECK(said() == "ovsdb_server|INFO|D: is short of backups no longer\n");
}

TEST_CASE_METHOD(Active,
                 "a backup that is away for a moment only costs the commits that missed it") {
  gate() = {.replicas = 1, .degraded = true};
  pass(2000);
  gate() = {.replicas = 1, .in_sync = 1, .missed = 1};
  look();
  CHECK(said().empty());
  gate().missed = 2;
  look();
  CHECK(said() ==
        "ovsdb_server|WARN|D: 1 commit was acknowledged that fewer than 1 backups have: if this "
        "server is lost now, so is it\n");
}

TEST_CASE_METHOD(Active,
                 "an active that is not found is told of every ten minutes, until there is one") {
  DatabaseStatus& database = status.databases[0];
  database.backup = true;
  database.source = "tcp:192.0.2.1:6641";
  database.connection_error = "Connection refused";
  database.follower.emplace();
  pass(9000);
  CHECK(said().empty());
  pass(2000);
  CHECK_THAT(said(), Catch::StartsWith("ovsdb_server|INFO|D: no active server is heard at "
                                       "tcp:192.0.2.1:6641 (Connection refused) - look which"));
  pass(1'200'000);
  const std::string reminders = said();
  CHECK_THAT(reminders, Catch::StartsWith("ovsdb_server|INFO|for 10 min 10 s now: D: no active"));
  CHECK(std::count(reminders.begin(), reminders.end(), '\n') == 2);
  database.backup = false;
  look();
  CHECK(said() == "ovsdb_server|INFO|D: has an active server again\n");
}

TEST_CASE_METHOD(Active,
                 "roles, remotes, limits and divergences are remembered, and logged by others") {
  status.limits.push_back({"max-locks", 10, 0, 0});
  status.databases[0].follower.emplace();
  look();
  status.now_ms = 5000;
  status.role_changes = {{RoleState::kExpired, 4000}, {RoleState::kActive, 3000}};
  status.limits[0].times = 2;
  status.databases[0].follower->divergences = 1;
  status.databases[0].follower->records_aside = 3;
  status.databases[0].follower->divergence_file = "D.db.diverged-1";
  net::RemoteStatus& remote = status.remotes.emplace_back();
  remote.target = "ptcp:1";
  remote.state = "not listening";
  remote.problem = "Address already in use";
  look();
  look();
  CHECK(said().empty());
  const std::vector<std::string> all = events();
  for (const char* text :
       {"role: active", "read-only: the role lease has run out",
        "clients met --max-locks=10 (2 times)",
        "D: had parted from the active server; 3 records set aside in D.db.diverged-1",
        "remote ptcp:1: not listening (Address already in use)",
        "ptcp:1: nobody can connect here (Address already in use)"}) {
    CHECK(std::count(all.begin(), all.end(), text) == 1);
  }
  CHECK(all.back() == "role: active");
}

TEST_CASE_METHOD(Active, "how far backups were behind is remembered for some minutes") {
  status.now_ms = 300'000;
  status.databases[0].entry.position.index = 10;
  join("b", "tcp:1").acknowledged.index = 10;
  look();
  feeds()[0].acknowledged.index = 6;
  look();
  pass(LagHistory::kSampleMs);
  feeds().clear();
  pass(LagHistory::kSampleMs);
  LagHistory::Line line = journal.lags().follower("D", "b");
  REQUIRE(line.size() == LagHistory::kSamples);
  CHECK(line[LagHistory::kSamples - 3] == 4);
  CHECK_FALSE(line[LagHistory::kSamples - 1]);
  CHECK_FALSE(line[0]);
  for (int i = 0; i < 1000; ++i) {
    feeds().clear();
    join("n" + std::to_string(i), "tcp:1");
    pass(Journal::kLookMs);
  }
  CHECK(journal.lags().follower("D", "n0").empty());
  REQUIRE_FALSE(journal.lags().follower("D", "n999").empty());
  CHECK(journal.lags().follower("D", "n999").back() == 10);
  pass(static_cast<std::int64_t>(LagHistory::kSamples + 1) * LagHistory::kSampleMs);
  CHECK(journal.lags().follower("D", "b").empty());
}

}  // namespace
}  // namespace tandem::control
