#include "server/logging/pattern.h"

#include <catch2/catch.hpp>

namespace tandem::log {
namespace {

std::string text(std::string_view pattern, std::string_view subprogram = "") {
  Line line;
  line.program = "ovsdb-server";
  line.host = "vm";
  line.subprogram = subprogram;
  line.module = "raft";
  line.message = "hello";
  line.level = Level::kInfo;
  line.facility = 16;
  line.sequence = 7;
  line.pid = 42;
  line.uptime_ms = 81;
  line.time = {1'000'000'000, 429'999'999};
  std::string out;
  append_line(out, pattern, line);
  return out;
}

TEST_CASE("the default file pattern gives time, number, module, level and message") {
  CHECK(text("%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m") ==
        "2001-09-09T01:46:40.429Z|00007|raft|INFO|hello");
}

TEST_CASE("the subprogram stands in parentheses after the module") {
  CHECK(text("%c%T %t", "monitor") == "raft(monitor) monitor");
  CHECK(text("%c%T %t") == "raft main");
}

TEST_CASE("the priority is eight times the facility plus the severity") {
  CHECK(text("<%B>1 %A %m") == "<133>1 ovsdb-server hello");
}

TEST_CASE("fields are padded to their width, left or right, with blanks or zeros") {
  CHECK(text("[%5N][%-5N][%05N][%-05N][%2m]") == "[    7][7    ][00007][70000][hello]");
}

TEST_CASE("digits after the third of a fraction are zeros") {
  CHECK(text("%D{%S.######}") == "40.429000");
}

TEST_CASE("a date without a format is ISO 8601 with milliseconds") {
  CHECK(text("%D") == "2001-09-09 01:46:40.429");
}

TEST_CASE("an unknown escape stands for its own letter") {
  CHECK(text("[%x][%%][%n]%E%P%r") == "[x][%][\n]vm4281");
}

TEST_CASE("a pattern that ends within an escape ends there") {
  CHECK(text("a%") == "a");
  CHECK(text("a%05") == "a");
  CHECK(text("%D{%H") == "2001-09-09 01:46:40.429{H");
}

}  // namespace
}  // namespace tandem::log
