#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "server/control/metrics.h"
#include "server/control/server_status.h"

namespace tandem::control {
namespace {

/// A backup of one database.
ServerStatus backup() {
  ServerStatus status;
  status.role = RoleState::kBackup;
  status.now_ms = 20'000;
  DatabaseStatus database;
  database.name = "D";
  database.backup = true;
  database.source = "tcp:192.0.2.1:6641";
  database.follower.emplace();
  status.databases.push_back(database);
  return status;
}

OrderedJson follower_of(const ServerStatus& status) {
  return to_json(status).at("databases").at(0).at("follower");
}

/// The names of an object's members.
std::string names_of(const OrderedJson& object) {
  std::string names;
  for (const auto& member : object.items()) names += (names.empty() ? "" : " ") + member.key();
  return names;
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

TEST_CASE("what is read first comes first in a status as JSON") {
  ServerStatus status = backup();
  status.databases[0].connection_error = "refused";
  status.limits.push_back({"max-clients", 10, 2, 1});
  const OrderedJson object = to_json(status);
  CHECK(names_of(object) ==
        "role writable health lease role_changes databases clients remotes http active_server "
        "exclude_tables sync node_name advertised_role forward_writes host server_id version "
        "program_gone pid "
        "time uptime_ms "
        "limits");
  CHECK(names_of(object.at("databases").at(0)) ==
        "name role writable position health file file_bytes source connection_error follower gate "
        "followers_total followers commits history");
  CHECK(names_of(object.at("databases").at(0).at("follower")) ==
        "state stale mode lag_records lag_ms commits resumes resyncs divergences records_aside");
  CHECK(to_text(object.at("limits")) ==
        R"({"max-clients":{"value":10,"times":2,"connections":1}})");
}

TEST_CASE("a status says who the server is, who reaches it, and what roles it had") {
  ServerStatus status;
  status.now_ms = 100'000;
  status.now_wall_ms = 1'700'000'100'000;
  status.uptime_ms = 93'784'000;
  status.pid = 42;
  status.host = "ovn1";
  status.role_changes = {{RoleState::kActive, 97'000}, {RoleState::kBackup, 2'000}};
  net::RemoteStatus& remote = status.remotes.emplace_back();
  remote.target = "ptcp:6641";
  remote.state = "listening";
  remote.connections = 3;
  net::RemoteStatus& taken = status.remotes.emplace_back();
  taken.target = "ptcp:6642";
  taken.state = "not listening";
  taken.problem = "Address already in use";
  CHECK_THAT(
      status_text(status),
      Catch::Contains("version: Tandem " TANDEM_VERSION "\npid: 42\nhost: ovn1\nuptime: 1 d 2 h\n"
                      "role-change: active at 2023-11-14T22:14:57.000Z, 3 s ago\n"
                      "role-change: backup at 2023-11-14T22:13:22.000Z, 1 min 38 s ago\n"
                      "clients: 3\n"
                      "remote: ptcp:6641 listening, 3 clients\n"
                      "remote: ptcp:6642 not listening (Address already in use)\n"));
  const OrderedJson object = to_json(status);
  CHECK(to_text(object.at("role_changes")) ==
        R"([{"role":"active","time":"2023-11-14T22:14:57.000Z","ms_ago":3000},)"
        R"({"role":"backup","time":"2023-11-14T22:13:22.000Z","ms_ago":98000}])");
  CHECK(to_text(object.at("remotes")) ==
        R"([{"target":"ptcp:6641","state":"listening","clients":3},)"
        R"({"target":"ptcp:6642","state":"not listening","clients":0,)"
        R"("problem":"Address already in use"}])");
  CHECK(object.at("clients") == 3);
  CHECK(object.at("pid") == 42);
  CHECK(object.at("host") == "ovn1");
  CHECK(object.at("version") == TANDEM_VERSION);
  CHECK(object.at("program_gone") == false);
  status.program_gone = true;
  CHECK_THAT(status_text(status),
             Catch::Contains("version: Tandem " TANDEM_VERSION ", replaced since the start\n"));
}

TEST_CASE("each database says whether it takes writes, and how large its file is") {
  ServerStatus status = backup();
  status.databases.push_back({});
  status.databases[1].name = "E";
  status.databases[1].file = "/e.db";
  status.databases[1].file_bytes = 1234;
  const auto writable = [&](std::size_t i) {
    return to_json(status).at("databases").at(i).at("writable").get<bool>();
  };
  CHECK(!writable(0));
  CHECK(writable(1));  // as a configuration file may have it
  CHECK(to_json(status).at("databases").at(1).at("file_bytes") == 1234);
  CHECK_THAT(status_text(status), Catch::Contains("  file: /e.db, 1234 bytes\n"));
  status.lease.renew(1000, 18'000);
  CHECK(!writable(1));
}

TEST_CASE("positions are told exactly, and names as they are") {
  ServerStatus status = backup();
  status.databases[0].entry.position = {Epoch{(std::uint64_t{1} << 60) + 1}, 7, Uuid{}};
  status.databases[0].source = "tcp:\xff:1";
  const std::string text = to_text(to_json(status));
  CHECK_THAT(text, Catch::Contains(R"("epoch":1152921504606846977,"index":7,)"));
  CHECK_THAT(text, Catch::Contains("\"source\":\"tcp:\xff:1\""));
}

TEST_CASE("a server that cannot write to its disk says so wherever it is asked") {
  ServerStatus status;
  status.databases.resize(2);
  status.databases[0].name = "D";
  status.databases[1].name = "E";
  status.databases[1].health.failure =
      Error{"I/O error", "e.db: write failed", std::nullopt, "No space left on device"};
  const std::string fault = "E: I/O error: e.db: write failed (No space left on device)";
  CHECK_THAT(status_text(status), Catch::Contains("writable: no\nhealth: " + fault + "\n"));
  CHECK(to_json(status).at("writable") == false);
  CHECK(to_json(status).at("health").at("writable") == false);
  CHECK(to_json(status).at("health").at("fault") == fault);
  CHECK(to_json(status).at("databases").at(0).at("health").at("writable") == true);
  CHECK(to_json(status).at("databases").at(1).at("health").at("writable") == false);
  CHECK(short_status_text(status) == "D active writable 0 0\nE active failing 0 0\n");
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_write_failing{database=\"D\"} 0\n"));
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_write_failing{database=\"E\"} 1\n"));
}

TEST_CASE("a server whose commits wait for backups says so, and is active all the same") {
  ServerStatus status;
  status.databases.resize(1);
  status.databases[0].name = "D";
  GateStatus& gate = status.databases[0].entry.gate;
  gate = {.replicas = 2, .in_sync = 1, .degraded = true, .waiting = 3, .waiting_ms = 12'345};
  const std::string held =
      "D: commits have waited 12s for backups to acknowledge them (1 of 2 in sync)";
  CHECK_THAT(status_text(status), Catch::Contains("writable: yes\nhealth: " + held + "\n"));
  CHECK(short_status_text(status) == "D active writable 0 0\n");
  const OrderedJson health = to_json(status).at("health");
  CHECK(health.at("writable") == true);
  CHECK(health.at("troubles").at(0).at("kind") == "commits-waiting");
  CHECK(to_json(status).at("databases").at(0).at("gate").at("waiting_ms") == 12'345);
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_gate_waiting{database=\"D\"} 3\n"));
  CHECK_THAT(to_metrics(status),
             Catch::Contains("tandem_gate_waiting_seconds{database=\"D\"} 12.345\n"));
  // A round trip is no trouble, and a backup has no gate.
  gate.waiting_ms = 4999;
  CHECK(to_json(status).at("health").at("troubles").empty());
  gate.waiting_ms = 12'345;
  status.databases[0].backup = true;
  CHECK(to_json(status).at("health").at("troubles").empty());
}

TEST_CASE("a database whose file is damaged is named wherever it is asked for") {
  ServerStatus status = backup();
  status.databases[0].follower->state = FollowerStatus::State::kReplicating;
  const storage::Damage damage{100, 50, 3, 1, Error{"syntax error", "d.db: bad", std::nullopt}, ""};
  status.databases[0].health.damage = damage;
  const std::string fault = "D: " + damage.to_string();
  CHECK_THAT(status_text(status), Catch::Contains("health: " + fault + "\n"));
  CHECK(short_status_text(status) == "D backup damaged 0 0\n");
  const OrderedJson health = to_json(status).at("databases").at(0).at("health");
  CHECK(health.at("damage").at("offset") == 100);
  CHECK(health.at("damage").at("whole_behind") == 1);
  CHECK(health.at("writable") == false);
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_file_damaged{database=\"D\"} 1\n"));
}

TEST_CASE("the status of a resync shows how far it is and what is left") {
  ServerStatus status = backup();
  FollowerStatus& follower = *status.databases[0].follower;
  follower.state = FollowerStatus::State::kResyncing;
  follower.rows_total = 2000;
  follower.rows_since_ms = 19'000;
  CHECK_FALSE(follower_of(status).at("resync").contains("left_ms"));
  follower.rows = 500;
  CHECK_THAT(status_text(status), Catch::Contains("25% (500 of 2000 rows), about 3.0 s left"));
  CHECK(follower_of(status).at("resync").at("left_ms") == 3000);
}

TEST_CASE("a follower's name cannot forge lines of the status, nor labels of metrics") {
  ServerStatus status = backup();
  FeedStatus feed;
  FeedStatus named;
  named.name = "x\nwritable: yes\x1b[2J" + std::string(5'000'000, 'n');
  feed.node = "n\"} 1\n\\";
  status.databases[0].entry.followers = {feed, named};
  const std::string text = status_text(status);
  CHECK_THAT(text, Catch::Contains("x\\nwritable: yes\\x1b[2Jnnn"));
  CHECK_THAT(text, !Catch::Contains("\nwritable: yes"));
  CHECK(text.size() < 3000);
  CHECK(to_text(to_json(status)).size() < 4000);
  CHECK_THAT(to_metrics(status), Catch::Contains(R"(node="n\"} 1\\n\\"} 0)"));
}

TEST_CASE("what the active says cannot forge lines of the status") {
  ServerStatus status = backup();
  status.databases[0].follower->error = "no\ndatabase: other";
  status.databases[0].connection_error = "bad\nrole: active";
  CHECK_THAT(status_text(status), Catch::Contains("no\\ndatabase: other"));
  CHECK_THAT(status_text(status), Catch::Contains("bad\\nrole: active"));
}

TEST_CASE("of thousands of followers some are shown, and how many there are") {
  ServerStatus status = backup();
  status.databases[0].entry.followers.resize(5000);
  CHECK_THAT(status_text(status), Catch::Contains("and 4900 more followers"));
  CHECK(to_json(status).at("databases").at(0).at("followers").size() == 100);
  CHECK(to_json(status).at("databases").at(0).at("followers_total") == 5000);
  CHECK(to_metrics(status).size() < 50'000);
}

TEST_CASE("what is wrong with log file and certificates is told, and makes no server unfit") {
  ServerStatus status;
  status.databases.resize(1);
  status.databases[0].name = "D";
  CHECK_THAT(to_metrics(status), !Catch::Contains("tandem_log_file"));
  CHECK_THAT(to_metrics(status), !Catch::Contains("tandem_certificate"));
  status.log_file.path = "/log";
  status.key_files = {{net::KeyFile::Kind::kPrivateKey, "/key", "too short"},
                      {net::KeyFile::Kind::kCertificate, "/cert", "",
                       std::chrono::system_clock::from_time_t(1'000'000'000)}};
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_log_file_failing 0\n"));
  status.log_file.write_error = ENOSPC;
  status.now_wall_ms = 1'000'000'000'000;
  const std::string log = "log file: /log: the last line was not written (No space left on device)";
  const std::string key = "private-key /key: too short";
  const std::string certificate = "certificate /cert: has run out at 2001-09-09T01:46:40.000Z";

  CHECK_THAT(status_text(status), Catch::Contains("writable: yes\nhealth: " + log + "\nhealth: " +
                                                  key + "\nhealth: " + certificate + "\n"));
  CHECK(short_status_text(status) == "D active writable 0 0\n");
  const OrderedJson health = to_json(status).at("health");
  CHECK(health.at("writable") == true);
  CHECK(health.at("fault") == "");
  CHECK(health.at("troubles").size() == 3);
  CHECK(health.at("troubles").at(0).at("kind") == "log-file-failing");
  CHECK(health.at("troubles").at(0).at("stops_writing") == false);
  CHECK(health.at("troubles").at(1).at("subject") == "private-key /key");
  CHECK(health.at("log_file").at("path") == "/log");
  CHECK(health.at("log_file").at("writable") == false);
  CHECK(health.at("key_files").at(0).at("fault") == "too short");
  CHECK(health.at("key_files").at(1).at("expiry") == "2001-09-09T01:46:40.000Z");
  const std::string metrics = to_metrics(status);
  CHECK_THAT(metrics, Catch::Contains("tandem_log_file_failing 1\n"));
  CHECK_THAT(metrics, Catch::Contains("tandem_key_file_failing{kind=\"private-key\"} 1\n"));
  CHECK_THAT(metrics, Catch::Contains("tandem_key_file_failing{kind=\"certificate\"} 0\n"));
  CHECK_THAT(metrics,
             Catch::Contains("tandem_certificate_expiry_timestamp_seconds{kind=\"certificate\"} "
                             "1000000000\n"));
}

}  // namespace
}  // namespace tandem::control
