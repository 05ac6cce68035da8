#include "server/control/command_registry.h"

#include <catch2/catch.hpp>

#include "server/control/standard_commands.h"

namespace tandem::control {
namespace {

/// The answer, or "error: TEXT".
std::string run(const CommandRegistry& registry, const std::string& name,
                const Arguments& arguments = {}) {
  std::string answer = "no answer";
  registry.run(name, arguments, Reply([&](const Result<std::string>& result) {
                 answer = result.has_value() ? *result : "error: " + result.error().to_string();
               }));
  return answer;
}

CommandRegistry with_command() {
  CommandRegistry registry;
  registry.add("x/echo", "WORD [WORD]", 1, 2, [](const Arguments& arguments, const Reply& reply) {
    reply.text(arguments.back());
  });
  return registry;
}

TEST_CASE("a command gets its arguments") {
  CHECK(run(with_command(), "x/echo", {"a", "b"}) == "b");
}

TEST_CASE("an unknown command is an error that points to list-commands") {
  CHECK(run(with_command(), "bogus") ==
        "error: \"bogus\" is not a valid command (use \"list-commands\" to see a list of valid "
        "commands)");
}

TEST_CASE("too few and too many arguments are errors") {
  CHECK(run(with_command(), "x/echo") == "error: \"x/echo\" command requires at least 1 arguments");
  CHECK(run(with_command(), "x/echo", {"a", "b", "c"}) ==
        "error: \"x/echo\" command takes at most 2 arguments");
}

TEST_CASE("exit is answered before the server is told to end") {
  CommandRegistry registry;
  std::string order;
  const EventRates events;
  add_standard_commands(registry, events, [&] { order += "exit"; });
  registry.run("exit", {}, Reply([&](const Result<std::string>& result) {
                 order += result.value() + "reply,";
               }));
  CHECK(order == "reply,exit");
}

TEST_CASE("vlog commands answer as every daemon does") {
  CommandRegistry registry;
  const EventRates events;
  add_standard_commands(registry, events, [] {});
  CHECK(run(registry, "vlog/set", {"foo"}) == "error: no destination, level, or module \"foo\"");
  CHECK(run(registry, "vlog/set", {"FACILITY:invalid"}) == "error: invalid facility");
  CHECK(run(registry, "vlog/enable-rate-limit", {"foo"}) == "error: unknown module");
  CHECK(run(registry, "vlog/reopen") == "error: Logging to file not configured");
  CHECK(run(registry, "vlog/reopen", {"x"}) ==
        "error: \"vlog/reopen\" command takes at most 0 arguments");
  CHECK(run(registry, "coverage/read-counter", {"x"}) == "error: No such counter");
}

}  // namespace
}  // namespace tandem::control
