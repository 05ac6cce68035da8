#include "protocol/json_parser.h"

#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

using namespace tandem;

namespace {

std::string reread(std::string_view text) {
  const auto value = parse_json(text);
  return value ? to_text(*value) : "error";
}

}  // namespace

TEST_CASE("numbers without a fraction are integers however they are written") {
  for (const auto* text : {"1", "1.0", "10e-1", "0.1e1", "1.000", "1E0", "100e-2", "0.01e+2"}) {
    CAPTURE(text);
    const auto value = parse_json(text);
    REQUIRE(value);
    REQUIRE(value->is_int64());
    CHECK(value->get_int64() == 1);
  }
  CHECK(reread("9007199254740993.0") == "9007199254740993");
  CHECK(reread("922337203685477580700e-2") == "9223372036854775807");
  CHECK(reread("9.223372036854775807e18") == "9223372036854775807");
  CHECK(reread("-9223372036854775808") == "-9223372036854775808");
  CHECK(reread("-9223372036854775808.00") == "-9223372036854775808");
  CHECK(reread("-0") == "0");
  CHECK(reread("-0.0") == "0");
}

TEST_CASE("all other numbers are the nearest real") {
  CHECK(reread("1.5") == "1.5");
  CHECK(reread("9223372036854775808") == "9.22337203685478e+18");
  CHECK(reread("-9223372036854775809") == "-9.22337203685478e+18");
  CHECK(reread("1e19") == "1e+19");
  CHECK(reread("8.41e21") == "8.41e+21");
  CHECK(parse_json("0.30000000000000004")->get_double() == 0.1 + 0.2);
  CHECK(parse_json("2.2250738585072011e-308")->get_double() == 2.2250738585072011e-308);
  CHECK(parse_json("1e-400")->get_double() == 0);
}

TEST_CASE("a number too large for a real is an error") {
  CHECK(reread("1e400") == "error");
  CHECK(reread("-1e309") == "error");
}

TEST_CASE("what is not JSON is an error") {
  for (const auto* text :
       {"", "01", "+1", "1.", ".5", "{", "[1,]", "{\"a\":1,}", "tru", "\"a\tb\"", "[] x", "'a'"}) {
    CAPTURE(text);
    CHECK(reread(text) == "error");
  }
}

TEST_CASE("of members with one name the last counts") {
  CHECK(reread(R"({"a":1,"a":2})") == R"({"a":2})");
}

TEST_CASE("strings need not be UTF-8 to be read") { CHECK(reread("\"\xff\"") == "\"\xff\""); }

TEST_CASE("NUL in a string is an error") {
  CHECK(reread(R"("a\u0000b")") == "error");
  CHECK(reread(R"({"\u0000":1})") == "error");
}

TEST_CASE("values may be nested a thousand deep and no deeper") {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(reread(nested(1000)) != "error");
  CHECK(reread(nested(1001)) == "error");
}

TEST_CASE("a value that arrives byte by byte is the same value") {
  const std::string text =
      R"({"name":["é\u00e9\ud834\udd1e",12345678901234567890.5,1.0,-12,true,null],"":{}})";
  JsonParser parser;
  for (int round = 0; round < 2; ++round) {
    for (const char c : text) {
      json::error_code ec;
      REQUIRE_FALSE(parser.done());
      REQUIRE(parser.write({&c, 1}, ec) == 1);
      REQUIRE_FALSE(ec);
    }
    REQUIRE(parser.done());
    CHECK(to_text(parser.release()) == reread(text));
  }
}

TEST_CASE("the parser takes no byte beyond the value's end") {
  JsonParser parser;
  json::error_code ec;
  CHECK(parser.write(R"({"a":1}{"b":2})", ec) == 7);
  CHECK(parser.done());
  CHECK(to_text(parser.release()) == R"({"a":1})");
}

TEST_CASE("a number at top level is complete at the end of the text") {
  JsonParser parser;
  json::error_code ec;
  parser.write("1.", ec);
  parser.write("0e1", ec);
  CHECK_FALSE(parser.done());
  parser.finish(ec);
  REQUIRE(parser.done());
  CHECK(to_text(parser.release()) == "10");
}
