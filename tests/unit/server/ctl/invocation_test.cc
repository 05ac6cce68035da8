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
  CHECK(invocation.target == "x");
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

TEST_CASE("short commands stand for Tandem's") {
  const Invocation invocation = parse({"status", "--format", "json", "--watch"});
  CHECK(invocation.command == "tandem/status");
  CHECK(invocation.arguments == std::vector<std::string>{"--format", "json"});
  CHECK(invocation.watch);
  CHECK(parse({"promote"}).command == "tandem/promote");
}

TEST_CASE("mistakes are refused") {
  CHECK(parse_invocation({}).has_error());
  CHECK(parse_invocation({"-t"}).has_error());
  CHECK(parse_invocation({"--bogus", "exit"}).has_error());
  CHECK(parse_invocation({"--timeout=x", "exit"}).has_error());
  CHECK(parse_invocation({"--timeout=0", "exit"}).has_error());
}

}  // namespace
}  // namespace tandem::ctl
