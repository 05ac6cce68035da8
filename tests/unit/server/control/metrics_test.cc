#include "server/control/metrics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "server/logging/event_count.h"

namespace tandem::control {
namespace {

using Type = Metric::Type;

/// So that there is one.
EventCount event("metrics_test");

DatabaseStatus database(const std::string& name) {
  DatabaseStatus database;
  database.name = name;
  database.entry.figures = std::make_shared<DatabaseFigures>();
  database.file_times.emplace();
  database.divergence_files = 0;
  return database;
}

/// A server that has all there is to tell of: an active of one database, with a backup, and a
/// backup of another.
ServerStatus full_status() {
  ServerStatus status;
  status.now_ms = 20'000;
  status.lease.renew(30'000, 19'000);
  status.databases = {database("A"), database("B")};
  FeedStatus feed;
  feed.node = "node2";
  feed.address = "tcp:192.0.2.2:40001";
  feed.heard_ms = 19'000;
  status.databases[0].entry.followers = {feed};
  status.databases[1].backup = true;
  FollowerStatus& follower = status.databases[1].follower.emplace();
  follower.state = FollowerStatus::State::kReplicating;
  follower.mode = FollowerStatus::Mode::kStream;
  follower.heard_ms = 19'900;
  status.log_file.path = "/log";
  const auto now = std::chrono::system_clock::from_time_t(1'000'000'000);
  status.key_files = {{net::KeyFile::Kind::kCertificate, "/cert", "", now, now}};
  status.limits = {{"max-monitors", 1000, 3, 1}};
  status.remotes = {
      {.target = "ptcp:6641", .is_connected = true, .values = {}, .is_up = true, .connections = 2}};
  return status;
}

std::string full_page() { return to_metrics(full_status(), read_process_figures()); }

/// The labels that samples have, with commas, by name of the metric.
std::map<std::string, std::set<std::string>> labels_on(const std::string& page) {
  std::map<std::string, std::set<std::string>> labels;
  static const std::regex sample(R"(^(\w+?)(_bucket|_sum|_count)?(\{.*\})? \S+$)");
  static const std::regex label(R"re((\w+)="([^"\\]|\\.)*")re");
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    if (line.starts_with('#') || !std::regex_match(line, parts, sample)) continue;
    const std::string text = parts[3];
    std::string names;
    for (std::sregex_iterator it(text.begin(), text.end(), label), end; it != end; ++it) {
      if ((*it)[1] != "le") names += (names.empty() ? "" : ",") + it->str(1);
    }
    labels[parts[1]].insert(names);
  }
  return labels;
}

TEST_CASE("each metric of the table is on the page once, with the labels that it names") {
  const std::string page = full_page();
  const auto labels = labels_on(page);
  std::size_t count = 0;
  for (const MetricGroup& group : metric_groups()) {
    for (const Metric& metric : group.metrics) {
      CAPTURE(metric.name);
      ++count;
      const std::string type = fmt::format("# TYPE {} {}\n", metric.name, to_string(metric.type));
      const std::size_t at = page.find(type);
      REQUIRE(at != std::string::npos);
      CHECK(page.find(type, at + 1) == std::string::npos);
      CHECK_THAT(page, Catch::Contains(fmt::format("# HELP {} {}\n", metric.name, metric.help)));
      REQUIRE(labels.contains(std::string(metric.name)));
      CHECK(labels.at(std::string(metric.name)) == std::set{std::string(metric.labels)});
    }
  }
  CHECK(labels.size() == count);
}

TEST_CASE("counters, and they alone, end with total, and times are in seconds") {
  for (const MetricGroup& group : metric_groups()) {
    for (const Metric& metric : group.metrics) {
      CAPTURE(metric.name);
      CHECK(metric.name.ends_with("_total") == (metric.type == Type::kCounter));
      CHECK(metric.name.ends_with("_duration_seconds") == (metric.type == Type::kHistogram));
      CHECK(metric.name.find("_ms") == std::string_view::npos);
    }
  }
}

TEST_CASE("a connection's number is no label, and two connections of one node are one backup") {
  ServerStatus status = full_status();
  DatabaseStatus& active = status.databases[0];
  active.entry.position.index = 10;
  FeedStatus& first = active.entry.followers[0];
  first.acknowledged.index = 8;
  first.in_sync = true;
  FeedStatus second = first;
  second.address = "tcp:192.0.2.2:40002";
  second.acknowledged.index = 3;
  active.entry.followers.push_back(second);
  const std::string worse = R"(tandem_follower_lag_records{database="A",node="node2"} 7)";
  const std::string better = R"(tandem_follower_lag_records{database="A",node="node2"} 2)";
  CHECK_THAT(to_metrics(status), Catch::Contains(worse) && !Catch::Contains(better));
  CHECK_THAT(to_metrics(status), !Catch::Contains("4000"));
  // One that a later connection has taken the place of does not count.
  active.entry.followers[1].doubted = true;
  CHECK_THAT(to_metrics(status), Catch::Contains(better) && !Catch::Contains(worse));
}

TEST_CASE("names that look the same are one label") {
  ServerStatus status = full_status();
  FeedStatus& first = status.databases[0].entry.followers[0];
  first.node = std::string(2000, 'n') + "x";
  FeedStatus second = first;
  second.node = std::string(2000, 'n') + "y";
  status.databases[0].entry.followers.push_back(second);
  const std::string page = to_metrics(status);
  const std::string sample = "\ntandem_follower_in_sync{";
  const std::size_t at = page.find(sample);
  REQUIRE(at != std::string::npos);
  CHECK(page.find(sample, at + 1) == std::string::npos);
}

TEST_CASE("roles are told by database") {
  ServerStatus status = full_status();
  status.role = RoleState::kBackup;  // of B
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_active{database=\"A\"} 1\n") &&
                                     Catch::Contains("tandem_active{database=\"B\"} 0\n") &&
                                     Catch::Contains("tandem_writable{database=\"A\"} 1\n") &&
                                     Catch::Contains("tandem_writable{database=\"B\"} 0\n"));
  status.databases[0].health.waiting = std::chrono::seconds(6);
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_writable{database=\"A\"} 0\n"));
  status = full_status();
  status.role = RoleState::kExpired;
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_active{database=\"A\"} 1\n") &&
                                     Catch::Contains("tandem_writable{database=\"A\"} 0\n"));
}

TEST_CASE("a backup that does not hear its active knows of no lag") {
  ServerStatus status = full_status();
  FollowerStatus& follower = *status.databases[1].follower;
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_lag_records{database=\"B\"} 0\n") &&
                                     Catch::Contains("tandem_lag_seconds{database=\"B\"} 0\n") &&
                                     Catch::Contains("tandem_replicating{database=\"B\"} 1\n"));
  follower.stale = true;
  CHECK_THAT(to_metrics(status),
             !Catch::Contains("tandem_lag_") &&
                 Catch::Contains("tandem_replicating{database=\"B\"} 0\n") &&
                 Catch::Contains("tandem_source_silent_seconds{database=\"B\"} 0.1\n"));
  follower.stale = false;
  follower.state = FollowerStatus::State::kConnecting;
  CHECK_THAT(
      to_metrics(status),
      !Catch::Contains("tandem_lag_") &&
          Catch::Contains(R"(tandem_replication_state{database="B",state="connecting"} 1)") &&
          Catch::Contains(R"(tandem_replication_state{database="B",state="replicating"} 0)"));
}

TEST_CASE("a backup has no gate that could be degraded") {
  ServerStatus status = full_status();
  for (DatabaseStatus& database : status.databases)
    database.entry.gate = {.replicas = 1, .degraded = true};
  CHECK_THAT(to_metrics(status), Catch::Contains("tandem_gate_degraded{database=\"A\"} 1\n") &&
                                     !Catch::Contains("tandem_gate_degraded{database=\"B\"}"));
}

TEST_CASE("the steps of a histogram add up") {
  ServerStatus status = full_status();
  TimeHistogram& commits = status.databases[0].entry.figures->commits;
  commits.add(50, 2);
  commits.add(90);
  commits.add(20'000'000);
  const std::string name = "\ntandem_commit_duration_seconds";
  const std::string page = to_metrics(status);
  CHECK_THAT(page, Catch::Contains(name + R"(_bucket{database="A",le="5e-05"} 2)") &&
                       Catch::Contains(name + R"(_bucket{database="A",le="0.0001"} 3)") &&
                       Catch::Contains(name + R"(_bucket{database="A",le="10"} 3)") &&
                       Catch::Contains(name + R"(_bucket{database="A",le="+Inf"} 4)") &&
                       Catch::Contains(name + R"(_sum{database="A"} 20.00019)") &&
                       Catch::Contains(name + R"(_count{database="A"} 4)"));
}

/// The tables of docs/metrics.md.
std::string manual_tables() {
  std::string text;
  for (const MetricGroup& group : metric_groups()) {
    text += fmt::format("\n## {}\n\n| Metric | Type | Labels | |\n| --- | --- | --- | --- |\n",
                        group.title);
    for (const Metric& metric : group.metrics) {
      std::string labels(metric.labels);
      if (const std::size_t comma = labels.find(','); comma != std::string::npos)
        labels.insert(comma + 1, " ");
      text += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, to_string(metric.type), labels,
                          metric.help);
    }
  }
  return text;
}

TEST_CASE("docs/metrics.md has the tables of the program") {
  const std::string path = TANDEM_SOURCE_DIR "/docs/metrics.md";
  const std::string mark = "\n<!-- The tables are made: see tests/README.md. -->\n";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::size_t end = text.str().find(mark);
  REQUIRE(end != std::string::npos);
  const std::string wanted = text.str().substr(0, end) + mark + manual_tables();
  if (std::getenv("TANDEM_WRITE_MANUAL") != nullptr) std::ofstream(path) << wanted;
  CHECK((text.str() == wanted || std::getenv("TANDEM_WRITE_MANUAL") != nullptr));
}

}  // namespace
}  // namespace tandem::control
