#include "protocol/json/json_output.h"

#include <catch2/catch.hpp>
#include <limits>

#include "protocol/json/json_id.h"
#include "protocol/json/json_reader.h"

using namespace tandem;

namespace {

std::string real(double value) {
  std::string text;
  append_json_real(text, value);
  return text;
}

std::string exact(double value) {
  std::string text;
  append_exact_json_real(text, value);
  return text;
}

}  // namespace

TEST_CASE("JSON strings escape quotes, backslashes and control characters, and nothing else") {
  CHECK(json_string("plain") == R"("plain")");
  CHECK(json_string("") == R"("")");
  CHECK(json_string("\b\f\n\r\t\"\\") == R"("\b\f\n\r\t\"\\")");
  CHECK(json_string(std::string("\x01\x1f\0x", 4)) == R"("\u0001\u001f\u0000x")");
  CHECK(json_string("/<>&\x7f é 𝄞") == "\"/<>&\x7f é 𝄞\"");
}

TEST_CASE("reals print as ovsdb-server prints them") {
  CHECK(real(0) == "0");
  CHECK(real(-0.0) == "-0");
  CHECK(real(1) == "1");
  CHECK(real(1.5) == "1.5");
  CHECK(real(0.1) == "0.1");
  CHECK(real(0.0001) == "0.0001");
  CHECK(real(0.00001) == "1e-05");
  CHECK(real(2.5e-8) == "2.5e-08");
  CHECK(real(100000) == "100000");
  CHECK(real(1e15) == "1e+15");
  CHECK(real(1e22) == "1e+22");
  CHECK(real(1.5e300) == "1.5e+300");
  CHECK(real(3.14159265358979) == "3.14159265358979");
}

TEST_CASE("a real is shown with 15 digits, and kept with as many as it needs") {
  CHECK(real(0.1 + 0.2) == "0.3");
  CHECK(exact(0.1 + 0.2) == "0.30000000000000004");
  CHECK(real(1.0 / 3) == "0.333333333333333");
  CHECK(exact(1.0 / 3) == "0.3333333333333333");
  CHECK(exact(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
  CHECK(real(15241578781054718.0) == "1.52415787810547e+16");
  CHECK(exact(15241578781054718.0) == "1.5241578781054718e+16");
  CHECK(exact(0.1) == "0.1");
}

TEST_CASE("JSON text is compact with members sorted by name") {
  const JsonDocument value = parse_json(R"( {"b":[1, null,true,2.5,"x"],"a":{},"ab":[]} )").value();
  CHECK(to_text(value) == R"({"a":{},"ab":[],"b":[1,null,true,2.5,"x"]})");
}

TEST_CASE("integers are all numbers without a fraction that fit") {
  std::int64_t out = 0;
  CHECK((as_integer(*parse_json("-5"), out) && out == -5));
  CHECK((as_integer(*parse_json("1e3"), out) && out == 1000));
  CHECK((as_integer(*parse_json("0e-400"), out) && out == 0));
  CHECK_FALSE(as_integer(*parse_json("1e-400"), out));
  CHECK_FALSE(as_integer(*parse_json("1.5"), out));
  CHECK_FALSE(as_integer(*parse_json("9.3e18"), out));
  CHECK_FALSE(as_integer(*parse_json("18446744073709551615"), out));
  CHECK_FALSE(as_integer(*parse_json("\"1\""), out));
  CHECK_FALSE(as_integer(*parse_json("true"), out));
}

TEST_CASE("an excerpt of a JSON value is its text, cut off") {
  const JsonDocument value = parse_json(R"({"b":[1,2,{"c":"text"}],"a":null})").value();
  CHECK(json_excerpt(value, 1000) == to_text(value));
  CHECK(json_excerpt(value, 12) == R"({"a":null,"b...)");
}

TEST_CASE("an excerpt is not cut within a character") {
  CHECK(json_excerpt(*parse_json("\"\u00e4\u00e4\u00e4\u00e4\""), 4) == "\"\u00e4...");
}

TEST_CASE("an excerpt costs no more than it shows") {
  std::string large = "[0";
  for (int i = 1; i < 100'000; ++i) large += ",1000000";
  CHECK(json_excerpt(*parse_json(large + "]"), 1000).capacity() < 4000);
  CHECK(json_excerpt(*parse_json('"' + std::string(1'000'000, 'x') + '"'), 1000).capacity() < 4000);
}

TEST_CASE("ids are equal if and only if their values are") {
  const auto id = [](std::string_view text) { return JsonId(*parse_json(text)); };
  CHECK(id("1.0") == JsonId(1));
  CHECK(id(R"("\u0061")") == JsonId::of_string("a"));
  CHECK(id(R"({"b":1,"a":[2]})") == id(R"({"a":[2.0],"b":1})"));
  CHECK(id("null") == JsonId());
  CHECK(id("0.30000000000000004") != id("0.3"));
  CHECK(id("1") != id("\"1\""));
}
