#include "server/daemon/upstreams.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

Options options_with(const std::string& from, const std::string& excluded = "") {
  Options options;
  options.sync.from = from;
  options.sync.exclude_tables = excluded;
  options.sync.forward_writes = true;
  options.sync.node_name = "node1";
  return options;
}

/// Databases A, B and C of the files a, b and c.
const std::map<std::string, std::string> kFiles{{"A", "a"}, {"B", "b"}, {"C", "c"}};

ConfigFile config_of(const std::string& databases) {
  return ConfigFile::parse(R"({"databases":{)" + databases + "}}").value();
}

std::string follows(const std::string& source, const std::string& more = "") {
  return R"({"service-model":"active-backup","backup":true,"source":{")" + source + "\":null}" +
         more + "}";
}

Upstreams configured(const std::string& databases) {
  Options options;
  options.config_file = "/config.json";
  Upstreams upstreams(options, "/run");
  upstreams.configure(config_of(databases), kFiles);
  return upstreams;
}

}  // namespace

TEST_CASE("Without a configuration file all databases follow one server") {
  Upstreams upstreams(options_with("tcp:192.0.2.1:6641,unix:db.sock", "A:t,A:u"), "/run");
  CHECK(upstreams.check());
  CHECK(upstreams.followers() == BackupSet::all());
  upstreams.set_probe_ms(1000);
  upstreams.set_least_epoch(Epoch{7});
  const std::vector<BackupSource> sources = upstreams.sources(BackupSet::all());
  REQUIRE(sources.size() == 1);
  CHECK_FALSE(sources[0].databases);
  REQUIRE(sources[0].targets.size() == 2);
  CHECK(sources[0].targets[1].path == "/run/db.sock");
  CHECK(sources[0].excluded.at("A") == std::set<std::string>{"t", "u"});
  CHECK(sources[0].probe_ms == 1000);
  CHECK(sources[0].least_epoch == Epoch{7});
  CHECK(sources[0].node == "node1");
  CHECK(sources[0].forward_writes);
  CHECK(upstreams.source_of("A") == "tcp:192.0.2.1:6641,unix:db.sock");
  CHECK(upstreams.excluded_of("A") == "A:t,A:u");
}

TEST_CASE("What is no server, or no list of tables, changes nothing") {
  Upstreams upstreams(options_with("tcp:192.0.2.1:6641"), "/run");
  CHECK_FALSE(upstreams.set_active_server("nobody"));
  CHECK(upstreams.active_server() == "tcp:192.0.2.1:6641");
  CHECK_FALSE(upstreams.set_excluded_tables("A"));
  CHECK(upstreams.excluded_tables().empty());
  CHECK(upstreams.set_active_server(""));
  CHECK(upstreams.sources(BackupSet::all()).empty());
  CHECK_FALSE(Upstreams(options_with("nobody"), "/run").check());
}

TEST_CASE("Databases that the configuration has follow one server share a connection") {
  const Upstreams upstreams =
      configured("\"a\":" + follows("tcp:192.0.2.1:1") + ",\"b\":" + follows("tcp:192.0.2.2:1") +
                 ",\"c\":" + follows("tcp:192.0.2.1:1", R"(,"exclude-tables":["t"])"));
  const std::vector<BackupSource> sources = upstreams.sources(BackupSet::of({"A", "B", "C"}));
  REQUIRE(sources.size() == 2);
  CHECK(sources[0].databases == std::set<std::string>{"A", "C"});
  CHECK(sources[0].excluded.at("C") == std::set<std::string>{"t"});
  CHECK(sources[1].databases == std::set<std::string>{"B"});
  CHECK(upstreams.sources(BackupSet::of({"B"})).size() == 1);
  CHECK(upstreams.active_server() == "tcp:192.0.2.1:1");
  CHECK(upstreams.source_of("B") == "tcp:192.0.2.2:1");
  CHECK(upstreams.excluded_of("C") == "C:t");
  CHECK(upstreams.excluded_of("A").empty());
}

TEST_CASE("The configuration says who is a backup, and who could be one") {
  Options options;
  options.config_file = "/config.json";
  Upstreams upstreams(options, "/run");
  const BackupSet backups = upstreams.configure(
      config_of("\"a\":" + follows("tcp:192.0.2.1:1") +
                R"(,"b":{"service-model":"active-backup","source":{"tcp:192.0.2.1:1":null}})"
                R"(,"c":null)"),
      kFiles);
  CHECK(backups == BackupSet::of({"A"}));
  CHECK(upstreams.followers() == BackupSet::of({"A", "B"}));
  CHECK(upstreams.source_of("C").empty());
  upstreams.configure(config_of("\"c\":null"), kFiles);
  CHECK(upstreams.followers().empty());
  CHECK(upstreams.active_server().empty());
}

TEST_CASE("A source that cannot be does not take the place of one that can") {
  CHECK(Upstreams::check_source(""));
  CHECK(Upstreams::check_source("tcp:192.0.2.1:1"));
  CHECK(Upstreams::check_source("ptcp:6641"));
  for (const std::string source : {"nonsense", "tcp:192.0.2.1:99999"})
    CHECK_FALSE(Upstreams::check_source(source));
  Upstreams upstreams = configured("\"a\":" + follows("tcp:192.0.2.1:1"));
  upstreams.configure(config_of("\"a\":" + follows("nonsense") + ",\"b\":" + follows("nobody")),
                      kFiles);
  CHECK(upstreams.source_of("A") == "tcp:192.0.2.1:1");
  CHECK(upstreams.source_of("B").empty());
}

TEST_CASE("What commands have set outlives a crash") {
  Upstreams before(options_with("tcp:192.0.2.1:6641"), "/run");
  CHECK(before.set_active_server("tcp:192.0.2.2:6641"));
  CHECK(before.set_excluded_tables("A:t"));
  before.set_least_epoch(Epoch{9});
  CHECK(before.set_node_name("node2"));
  CHECK_FALSE(before.set_node_name("node2"));
  HandoverState state;
  before.save_to(state);
  Upstreams after(options_with("tcp:192.0.2.1:6641"), "/run");
  after.resume(state);
  CHECK(after.active_server() == "tcp:192.0.2.2:6641");
  CHECK(after.excluded_tables() == "A:t");
  CHECK(after.node_name() == "node2");
  CHECK(after.sources(BackupSet::all()).front().least_epoch == Epoch{9});
}

}  // namespace tandem
