#include "protocol/json/json_scanner.h"

#include <catch2/catch.hpp>

using namespace tandem;

TEST_CASE("a string ends at the first quote that is not escaped") {
  JsonScanner scanner(R"( "a\\" "b\"c" "d)");
  CHECK(scanner.raw_string() == R"(a\\)");
  CHECK(scanner.raw_string() == R"(b\"c)");
  CHECK(scanner.raw_string() == std::nullopt);
}

TEST_CASE("a value's text ends with the value") {
  JsonScanner scanner(R"({"a":[1,"]}",{}]} , true , -1.5e3])");
  CHECK(scanner.raw_value() == R"({"a":[1,"]}",{}]})");
  CHECK(scanner.take(','));
  CHECK(scanner.raw_value() == "true");
  CHECK(scanner.take(','));
  CHECK(scanner.raw_value() == "-1.5e3");
  CHECK(scanner.take(']'));
  CHECK(scanner.at_end());
}

TEST_CASE("a value that does not end has no text") {
  for (const char* text : {"", "[1", R"("a)", R"({"a":"b)", "]"}) {
    INFO(text);
    CHECK(JsonScanner(text).raw_value() == std::nullopt);
  }
}

TEST_CASE("escapes are read, and what is no string is refused") {
  std::string text;
  CHECK(append_unescaped(text, R"(a\"b\\c\/d\n\t)"));
  CHECK(text == "a\"b\\c/d\n\t");
  CHECK(append_unescaped(text, "\\u0041\xc3\xa9\\ud834\\udd1e"));
  CHECK(text == "a\"b\\c/d\n\tA\xc3\xa9\xf0\x9d\x84\x9e");
  CHECK_FALSE(append_unescaped(text, R"(\ud834)"));
  CHECK_FALSE(append_unescaped(text, R"(\x)"));
  CHECK_FALSE(append_unescaped(text, "a\\"));
  CHECK_FALSE(append_unescaped(text, "a\nb"));
}
