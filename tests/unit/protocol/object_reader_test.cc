#include "protocol/object_reader.h"

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"

using namespace tandem;

namespace {

/// The error's text after reading {"a": integer, "b"?: id}.
std::string error_of(std::string_view text) {
  const JsonDocument value = parse_json(text).value();
  ObjectReader reader(value, "thing");
  reader.required("a", kJsonInteger);
  reader.optional("b", kJsonId);
  const auto result = reader.finish();
  return result ? "" : result.error().to_string();
}

}  // namespace

TEST_CASE("an object with all it needs is read") {
  CHECK(error_of(R"({"a":1})").empty());
  CHECK(error_of(R"({"b":"_id","a":1.0})").empty());
}

TEST_CASE("the first fault of an object is named in ovsdb-server's words") {
  CHECK(error_of("[]") == "syntax error: Parsing thing failed: Object expected.");
  CHECK(error_of("{}") ==
        R"(syntax "{}": syntax error: Parsing thing failed: Required 'a' member is missing.)");
  CHECK(
      error_of(R"({"a":1.5,"x":1})") ==
      R"(syntax "{"a":1.5,"x":1}": syntax error: Parsing thing failed: Type mismatch for member 'a'.)");
  CHECK(
      error_of(R"({"a":1,"b":"1x"})") ==
      R"(syntax "{"a":1,"b":"1x"}": syntax error: Parsing thing failed: Type mismatch for member 'b'.)");
}

TEST_CASE("members that nobody asked for are counted") {
  CHECK(
      error_of(R"({"a":1,"x":1})") ==
      R"(syntax "{"a":1,"x":1}": syntax error: Parsing thing failed: Member 'x' is present but not allowed here.)");
  CHECK(error_of(R"({"a":1,"y":1,"x":1})") ==
        R"(syntax "{"a":1,"x":1,"y":1}": syntax error: Parsing thing failed: )"
        "Member 'x' and 1 other member are present but not allowed here.");
  CHECK(error_of(R"({"a":1,"z":1,"y":1,"x":1})") ==
        R"(syntax "{"a":1,"x":1,"y":1,"z":1}": syntax error: Parsing thing failed: )"
        "Member 'x' and 2 other members are present but not allowed here.");
}
