#include "server/config/config_object.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

/// The error's text after reading {"n": integer, "s"?: string}.
std::string error_of(std::string_view text) {
  const Json value = read_json(text).value();
  ConfigObject reader(value, "thing");
  reader.required<std::int64_t>("n");
  reader.optional<std::string>("s");
  const Result<void> result = reader.finish();
  return result ? "" : result.error().to_string();
}

TEST_CASE("an object of a configuration file is read member by member") {
  CHECK(error_of(R"({"n":1.0,"s":"x"})").empty());
  CHECK(error_of(R"({"n":1})").empty());
}

TEST_CASE("the first fault of an object of a configuration file is named, and the object shown") {
  const std::string failed = "syntax error: Parsing thing failed: ";
  CHECK(error_of("[]") == failed + "Object expected.");
  CHECK(error_of(R"({"s":7})") ==
        R"(syntax "{"s":7}": )" + failed + "Required 'n' member is missing.");
  CHECK(error_of(R"({"n":1.5})") ==
        R"(syntax "{"n":1.5}": )" + failed + "Type mismatch for member 'n'.");
  CHECK(error_of(R"({"n":1,"s":null})") ==
        R"(syntax "{"n":1,"s":null}": )" + failed + "Type mismatch for member 's'.");
  CHECK(error_of(R"({"n":1,"b":1})") ==
        R"(syntax "{"b":1,"n":1}": )" + failed + "Member 'b' is present but not allowed here.");
  CHECK(error_of(R"({"n":1,"b":1,"a":1})") ==
        R"(syntax "{"a":1,"b":1,"n":1}": )" + failed +
            "Member 'a' and 1 other member are present but not allowed here.");
}

TEST_CASE("an integer of a configuration file that does not fit is a mismatch") {
  CHECK_THAT(error_of(R"({"n":9223372036854775808})"), Catch::EndsWith("for member 'n'."));
  CHECK(error_of(R"({"n":-9223372036854775808})").empty());
}

}  // namespace
}  // namespace tandem
