#include "server/tool/invocation.h"

#include <catch2/catch.hpp>

namespace tandem::tool {
namespace {

std::optional<Invocation> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "/opt/bin/ovsdb-tool");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Directories directories;
  directories.db = "/db";
  directories.package_data = "/data";
  return parse_invocation(static_cast<int>(words.size()), argv.data(), directories);
}

TEST_CASE("Options may stand before, between and after the arguments") {
  const auto invocation =
      parse({"-mm", "show-log", "--more", "file", "--rbac-role", "r", "-vdbg", "-v", "--log-file"});
  REQUIRE(invocation);
  CHECK(invocation->program == "ovsdb-tool");
  CHECK(invocation->command == "show-log");
  CHECK(invocation->arguments == std::vector<std::string>{"file"});
  CHECK(invocation->more == 3);
  CHECK(invocation->rbac_role == "r");
  CHECK(invocation->log_specs == std::vector<std::string>{"dbg", ""});
  CHECK(invocation->log_file == "");
}

TEST_CASE("Files that are not named are those of Open vSwitch") {
  const auto invocation = parse({"convert", "file"});
  REQUIRE(invocation);
  CHECK(invocation->database(0) == "file");
  CHECK(invocation->schema(1) == "/data/vswitch.ovsschema");
  CHECK(parse({"compact"})->database(0) == "/db/conf.db");
}

TEST_CASE("After two dashes everything is an argument") {
  const auto invocation = parse({"db-name", "--", "--help"});
  REQUIRE(invocation);
  CHECK(invocation->arguments == std::vector<std::string>{"--help"});
  CHECK(invocation->action == Invocation::Action::kCommand);
}

}  // namespace
}  // namespace tandem::tool
