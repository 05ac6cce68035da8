#include "server/control/health_watch.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>

#include "server/control/server_status.h"
#include "tests/unit/server/net/net_fixture.h"

namespace tandem::control {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

/// A server's status, and what the watch logs of it.
struct Fixture {
  Fixture() {
    status.databases.resize(1);
    status.databases[0].name = "D";
    status.now_wall_ms = 100 * kDayMs;
    look();
  }
  void look() { watch.look(status); }
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
  HealthWatch watch;
};

TEST_CASE_METHOD(Fixture, "a server that is well has nothing to say") { CHECK(said().empty()); }

TEST_CASE_METHOD(Fixture, "a disk that hangs is told of once, and once that it answers again") {
  for (const int seconds : {4, 5, 10}) {
    status.databases[0].health.waiting = std::chrono::seconds(seconds);
    look();
  }
  CHECK(said() == "ovsdb_server|WARN|D: the disk has not answered for 5s\n");
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
  CHECK(
      said() ==
      "ovsdb_server|WARN|log file: /l: the last line was not written (No space left on device)\n");
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
  CHECK(said() == "ovsdb_server|WARN|certificate /c: runs out at 1970-04-26T00:00:00.000Z\n");
  status.now_wall_ms += 14 * kDayMs;
  look();
  look();
  CHECK(said() == "ovsdb_server|WARN|certificate /c: has run out at 1970-04-26T00:00:00.000Z\n");
  // One that cannot be used at all is none that is well.
  status.key_files[0].problem = "too short";
  look();
  CHECK(said().empty());
  add_certificate(14);
  CHECK(said() == "ovsdb_server|WARN|certificate /c: runs out at 1970-05-10T00:00:00.000Z\n");
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
        "ovsdb_server|WARN|certificate /c: is not valid before 1970-04-12T00:00:00.000Z\n");
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
        "sync)\n");
  status.databases[0].entry.gate.waiting_ms = 0;
  look();
  CHECK(said() == "ovsdb_server|INFO|D: commits wait for backups no longer\n");
}

}  // namespace
}  // namespace tandem::control
