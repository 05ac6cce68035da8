#include "server/logging/spec.h"

#include <catch2/catch.hpp>

namespace tandem::log {
namespace {

Spec parse(std::string_view text) {
  return parse_spec(text, [](std::string_view word) {
    return equal_ignoring_case(word, "raft") || equal_ignoring_case(word, "vlog");
  });
}

LevelSpec levels(std::string_view text) { return std::get<LevelSpec>(parse(text)); }
std::string error(std::string_view text) { return std::get<BadSpec>(parse(text)).reason; }

TEST_CASE("an empty spec means everything at DBG") {
  const LevelSpec spec = levels("");
  CHECK(!spec.module);
  CHECK(!spec.destination);
  CHECK(spec.level == Level::kDbg);
}

TEST_CASE("words come in any order and case, and with any separators") {
  for (const char* text : {"raft:file:warn", "WARN,Raft file", "::file,, :warn:any:raft"}) {
    const LevelSpec spec = levels(text);
    CHECK(equal_ignoring_case(spec.module.value(), "raft"));
    CHECK(spec.destination == Destination::kFile);
    CHECK(spec.level == Level::kWarn);
  }
}

TEST_CASE("a spec may name one word of each kind") {
  CHECK(error("raft vlog") == "cannot specify multiple modules");
  CHECK(error("file console") == "cannot specify multiple destinations");
  CHECK(error("info dbg") == "cannot specify multiple levels");
}

TEST_CASE("a word that is nothing is an error that names it") {
  CHECK(error("foo") == "no destination, level, or module \"foo\"");
  CHECK(error("raft PATTERN:file:x") == "no destination, level, or module \"PATTERN\"");
}

TEST_CASE("a pattern is everything after its destination") {
  const auto spec = std::get<PatternSpec>(parse("PATTERN:console:%p|%m: x"));
  CHECK(spec.destination == Destination::kConsole);
  CHECK(spec.pattern == "%p|%m: x");
  CHECK(!std::get<PatternSpec>(parse("pattern:any:")).destination);
}

TEST_CASE("a pattern needs a destination that exists") {
  CHECK(error("PATTERN") == "missing destination");
  CHECK(error("PATTERN:x:y") == "unknown destination \"x\"");
}

TEST_CASE("facilities are known by name") {
  CHECK(std::get<FacilitySpec>(parse("FACILITY:local7")).facility == 23);
  CHECK(std::get<FacilitySpec>(parse("facility:DAEMON")).facility == 3);
  for (const char* text : {"FACILITY:invalid", "FACILITY", "FACILITY:", "FACILITY:daemon:x"}) {
    CHECK(error(text) == "invalid facility");
  }
}

}  // namespace
}  // namespace tandem::log
