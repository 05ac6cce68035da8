#include "server/http/pages.h"

#include <catch2/catch.hpp>

namespace tandem::http {
namespace {

using control::DatabaseStatus;

/// An active server of the databases D and E.
struct Fixture {
  Fixture() {
    status.now_ms = 20'000;
    status.now_wall_ms = 1'700'000'000'000;
    status.databases.resize(2);
    status.databases[0].name = "D";
    status.databases[1].name = "E/F";
  }
  Page page(std::string_view target) const { return make_page(target, status, journal); }
  std::string body(std::string_view target) const { return page(target).body; }
  DatabaseStatus& first() { return status.databases[0]; }
  DatabaseStatus& second() { return status.databases[1]; }
  void make_backup(DatabaseStatus& database) {
    database.backup = true;
    database.follower.emplace();
    status.role = RoleState::kBackup;
  }

  control::ServerStatus status;
  control::Journal journal;
};

TEST_CASE_METHOD(Fixture, "a load balancer is told where writes are accepted") {
  CHECK(page("/active").status == 200);
  CHECK(body("/active") == "active\n");
  status.role = RoleState::kExpired;
  CHECK(page("/active").status == 503);
  CHECK(body("/active") == "active, but the lease has run out\n");
  status.role = RoleState::kBackup;
  CHECK(page("/active").status == 503);
  CHECK(body("/active") == "backup\n");
}

TEST_CASE_METHOD(Fixture, "where roles differ each database is asked about by itself") {
  make_backup(first());
  CHECK(page("/active").status == 503);
  CHECK(page("/active?db=D").status == 503);
  CHECK(page("/active?db=E/F").status == 200);
  CHECK(page("/active?x=1&db=E%2fF&y").status == 200);
  CHECK(page("/active?db=").status == 404);
  CHECK(body("/active?db=%3Cb%0a") == "no database <b\\n here\n");
  status.lease.renew(1000, 10'000);
  CHECK(body("/active?db=E/F") == "active, but the lease has run out\n");
  CHECK(page("/metrics?db=D").body.find("E/F") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a relay accepts writes while it has a source") {
  first().relay = true;
  first().follower.emplace();
  first().follower->state = FollowerStatus::State::kConnecting;
  CHECK(page("/active").status == 503);
  CHECK(body("/active") == "relay, D: connecting\n");
  CHECK(body("/synced") == "D: connecting\n");
  CHECK(page("/active?db=E/F").status == 200);
  first().follower->state = FollowerStatus::State::kReplicating;
  status.lease.renew(1000, 10'000);  // it is not the relay's
  CHECK(page("/active?db=D").status == 200);
  CHECK(page("/synced?db=D").status == 200);
}

TEST_CASE_METHOD(Fixture, "a server that cannot write to its disk is no longer fit") {
  second().health.failure = Error{"I/O error", "e.db", std::nullopt, "No space left on device"};
  const std::string fault = "E/F: I/O error: e.db (No space left on device)";
  CHECK(page("/active").status == 503);
  CHECK(body("/active") == "active, but " + fault + "\n");
  CHECK(page("/active?db=D").status == 200);
  CHECK(page("/healthz").status == 503);
  // A backup may be healthy and is not active.
  status.role = RoleState::kBackup;
  CHECK(body("/active") == "backup\n");
  CHECK(body("/healthz") == fault + "\n");
}

TEST_CASE_METHOD(Fixture, "a server whose commits wait for backups is active all the same") {
  first().entry.gate = {.replicas = 2, .in_sync = 1, .waiting = 3, .waiting_ms = 12'345};
  const std::string held =
      "warning: D: commits have waited 12s for backups to acknowledge them (1 of 2 in sync)\n";
  CHECK(page("/active").status == 200);
  CHECK(body("/active") == "active\n" + held);
  CHECK(body("/healthz") == "healthy\n" + held);
  first().entry.gate.waiting_ms = 4999;
  CHECK(body("/active") == "active\n");
}

TEST_CASE_METHOD(Fixture, "a damaged file makes no backup fit") {
  make_backup(first());
  const storage::Damage damage{100, 50, 3, 1, Error{"syntax error", "d.db: bad", std::nullopt}, ""};
  first().health.damage = damage;
  CHECK(body("/active") == "backup, as D: " + damage.to_string() + "\n");
  CHECK(page("/healthz").status == 503);
}

TEST_CASE_METHOD(Fixture, "what makes no server unfit is a warning of its health") {
  status.log_file.path = "/log";
  status.log_file.write_error = ENOSPC;
  CHECK(page("/active").status == 200);
  CHECK(page("/healthz").status == 200);
  CHECK_THAT(body("/healthz"), Catch::StartsWith("healthy\nwarning: log file: /log: "));
  first().health.waiting = std::chrono::seconds(7);
  CHECK(page("/healthz").status == 503);
  CHECK_THAT(body("/healthz"),
             Catch::StartsWith("D: the disk has not answered for 7s\nwarning: log file"));
}

TEST_CASE_METHOD(Fixture, "a server says whether its copies are in sync, and what is missing") {
  CHECK(body("/synced") == "synced\n");
  status.sync.replicas = 1;
  CHECK(page("/synced").status == 503);
  CHECK(body("/synced") == "D: 0 of 1 backups\nE/F: 0 of 1 backups\n");
  FeedStatus feed;
  feed.name = "b";
  first().entry.followers = {feed};
  CHECK(page("/synced?db=D").status == 200);
  first().entry.position.index = 3;
  CHECK(body("/synced?db=D") == "D: b has acknowledged nothing yet\n");
  make_backup(second());
  CHECK(body("/synced?db=E/F") == "E/F: connecting\n");
  second().follower->state = FollowerStatus::State::kReplicating;
  CHECK(body("/synced?db=E/F") == "synced\n");
  second().follower->announced.index = 2;
  CHECK(body("/synced?db=E/F") == "E/F: 2 records behind\n");
}

TEST_CASE_METHOD(Fixture, "metrics name each database, and other pages are none") {
  CHECK_THAT(body("/metrics"), Catch::Contains("\ntandem_active{database=\"D\"} 1\n"));
  CHECK_THAT(body("/status"), Catch::StartsWith("{\"role\":\"active\","));
  CHECK(page("/other").status == 404);
  CHECK(page("").status == 404);
}

}  // namespace
}  // namespace tandem::http
