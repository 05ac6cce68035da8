#include "server/config/config_file.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

TEST_CASE("a configuration file names remotes and databases with their options") {
  const Result<ConfigFile> config = ConfigFile::parse(R"({
    "remotes": {"punix:x": null, "ptcp:1": {"read-only": true, "role": "r", "dscp": 3,
                                            "max-backoff": 1, "inactivity-probe": 2}},
    "databases": {"a": null, "b": {"service-model": "active-backup", "backup": true,
                                   "source": {"tcp:h:1": {"inactivity-probe": 9}},
                                   "exclude-tables": ["T", "U"]}}})");
  REQUIRE(config.has_value());
  CHECK(config->remotes.at("punix:x") == net::RemoteOptions{});
  const net::RemoteOptions& options = config->remotes.at("ptcp:1");
  CHECK(options.read_only);
  CHECK(options.role == "r");
  CHECK(options.dscp == 3);
  CHECK(options.max_backoff_ms == 1);
  CHECK(options.inactivity_probe_ms == 2);
  CHECK(config->databases.at("a") == ConfigFile::Database{});
  const ConfigFile::Database& database = config->databases.at("b");
  CHECK(database.backup);
  CHECK(database.source == "tcp:h:1");
  CHECK(database.source_options.inactivity_probe_ms == 9);
  CHECK(database.exclude_tables == std::set<std::string>{"T", "U"});
}

TEST_CASE("of members that stand twice the last counts") {
  const Result<ConfigFile> config =
      ConfigFile::parse(R"({"remotes":{"punix:x":null,"punix:x":{"role":"r"}}})");
  REQUIRE(config.has_value());
  CHECK(config->remotes.at("punix:x").role == "r");
}

TEST_CASE("a configuration file that says what it cannot mean is refused") {
  for (const char* text :
       {"[]", "{", R"({"x":1})", R"({"databases":{"d":{"service-model":"x"}}})",
        R"({"databases":{"d":{"service-model":"relay"}}})",
        R"({"databases":{"d":{"service-model":"active-backup","backup":true}}})",
        R"({"databases":{"d":{"service-model":"relay","source":{"tcp:a:1":null,"tcp:b:1":null}}}})",
        R"({"databases":{"d":{"service-model":"standalone","source":{"tcp:a:1":null}}}})"}) {
    CAPTURE(text);
    CHECK(ConfigFile::parse(text).has_error());
  }
}

TEST_CASE("options that are wrong are left out") {
  const Result<ConfigFile> config =
      ConfigFile::parse(R"({"remotes":{"punix:x":{"dscp":"high","role":"r"}}})");
  REQUIRE(config.has_value());
  CHECK(config->remotes.at("punix:x") == net::RemoteOptions{});
}

}  // namespace
}  // namespace tandem
