#include "server/ctl/invocation.h"

#include <catch2/catch.hpp>

namespace tandem::ctl {
namespace {

Invocation parse(const std::vector<std::string>& arguments) {
  auto invocation = parse_invocation(arguments);
  REQUIRE(invocation.has_value());
  return *invocation;
}

TEST_CASE("a command is sent with all that follows it") {
  const Invocation invocation = parse({"-t", "x", "vlog/set", "-t", "--help"});
  CHECK(invocation.target == std::string("x"));
  CHECK(invocation.command == "vlog/set");
  CHECK(invocation.arguments == std::vector<std::string>{"-t", "--help"});
  CHECK(!invocation.help);
}

TEST_CASE("the server is given five seconds unless told otherwise") {
  CHECK(parse({"exit"}).timeout == std::chrono::seconds(5));
  for (const auto& option : {std::vector<std::string>{"-T0.5"},
                             {"-T", "0.5"},
                             {"--timeout=0.5"},
                             {"--timeout", "0.5"}}) {
    auto arguments = option;
    arguments.emplace_back("exit");
    CHECK(parse(arguments).timeout == std::chrono::milliseconds(500));
  }
}

TEST_CASE("what takes the server time is given it") {
  CHECK(parse({"promote"}).timeout == std::chrono::seconds(15));
  CHECK(parse({"-T1", "promote"}).timeout == std::chrono::seconds(1));
  CHECK(parse({"wait-synced"}).timeout == std::chrono::seconds(35));
  CHECK(parse({"wait-synced", "--timeout", "60"}).timeout == std::chrono::seconds(65));
  CHECK(parse({"wait-synced", "--timeout=0.5"}).timeout == std::chrono::milliseconds(5500));
}

TEST_CASE("short commands stand for Tandem's") {
  const Invocation invocation = parse({"promote", "--force"});
  CHECK(invocation.command == "tandem/promote");
  CHECK(invocation.name == "promote");
  CHECK(invocation.arguments == std::vector<std::string>{"--force"});
  CHECK(!invocation.everywhere);
  CHECK(!invocation.target);
}

TEST_CASE("what only asks is for all servers of the host") {
  for (const char* command : {"status", "position", "history", "sessions", "wait-synced"})
    CHECK(parse({command}).everywhere);
  for (const char* command : {"demote", "lease", "exit", "tandem/status"})
    CHECK(!parse({command}).everywhere);
}

TEST_CASE("JSON may be asked for in short") {
  using Words = std::vector<std::string>;
  for (const Words& words : {Words{"--json"}, {"--format", "json"}, {"--format=json"}}) {
    Words arguments{"status"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Invocation invocation = parse(arguments);
    CHECK(invocation.json);
    CHECK(invocation.arguments.empty());
    CHECK(invocation.server_arguments() == Words{"--format", "json"});
  }
  const Invocation invocation = parse({"position", "D", "--format", "text"});
  CHECK(!invocation.json);
  CHECK(invocation.server_arguments() == Words{"D", "--format", "text"});
}

TEST_CASE("a status is watched each second, or as often as is said") {
  CHECK(!parse({"status"}).watch);
  CHECK(parse({"status", "--json", "--watch"}).watch == std::chrono::seconds(1));
  const Invocation invocation = parse({"status", "--watch=0.25", "--format", "short"});
  CHECK(invocation.watch == std::chrono::milliseconds(250));
  CHECK(invocation.arguments == std::vector<std::string>{"--format", "short"});
  CHECK(parse({"promote", "--watch"}).arguments == std::vector<std::string>{"--watch"});
}

TEST_CASE("mistakes are refused") {
  CHECK(parse_invocation({}).has_error());
  CHECK(parse_invocation({"-t"}).has_error());
  CHECK(parse_invocation({"--bogus", "exit"}).has_error());
  CHECK(parse_invocation({"--timeout=x", "exit"}).has_error());
  CHECK(parse_invocation({"--timeout=0", "exit"}).has_error());
  CHECK(parse_invocation({"status", "--watch=0"}).has_error());
}

}  // namespace
}  // namespace tandem::ctl
