#include <catch2/catch.hpp>

#include "server/control/server_status.h"

namespace tandem::control {
namespace {

/// A backup of one database.
ServerStatus backup() {
  ServerStatus status;
  status.backup = true;
  status.now_ms = 20'000;
  DatabaseStatus database;
  database.name = "D";
  database.entry.backup = true;
  database.source = "tcp:192.0.2.1:6641";
  database.follower.emplace();
  status.databases.push_back(database);
  return status;
}

json::object follower_of(const ServerStatus& status) {
  return to_json(status).at("databases").at(0).at("follower").as_object();
}

TEST_CASE("the status of a backup says how far behind it is, in records and milliseconds") {
  ServerStatus status = backup();
  FollowerStatus& follower = *status.databases[0].follower;
  follower.state = FollowerStatus::State::kReplicating;
  follower.mode = FollowerStatus::Mode::kStream;
  follower.announced.index = 12;
  follower.applied.index = 9;
  follower.behind_since_ms = 19'850;
  CHECK_THAT(status_text(status), Catch::Contains("3 records and 150 ms behind"));
  CHECK(follower_of(status).at("lag_records") == 3);
  CHECK(follower_of(status).at("lag_ms") == 150);
}

TEST_CASE("the status of a resync shows how far it is and what is left") {
  ServerStatus status = backup();
  FollowerStatus& follower = *status.databases[0].follower;
  follower.state = FollowerStatus::State::kResyncing;
  follower.rows_total = 2000;
  follower.rows_since_ms = 19'000;
  CHECK_FALSE(follower_of(status).at("resync").as_object().contains("left_ms"));
  follower.rows = 500;
  CHECK_THAT(status_text(status), Catch::Contains("25% (500 of 2000 rows), about 3.0 s left"));
  CHECK(follower_of(status).at("resync").at("left_ms") == 3000);
}

}  // namespace
}  // namespace tandem::control
