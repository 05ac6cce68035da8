#include "protocol/json/json_reader.h"

#include <catch2/catch.hpp>
#include <vector>

#include "protocol/json/json_output.h"

using namespace tandem;

namespace {

std::string reread(std::string_view text) {
  const auto value = parse_json(text);
  return value ? to_text(*value) : "error";
}

using Status = JsonReader::Status;

constexpr std::string_view kSample =
    R"({"name":["é\u00e9\ud834\udd1e\\",12345678901234567890.5,1.0,-12,true,null],"":{},"x":"\n"})";

}  // namespace

TEST_CASE("numbers without a fraction are integers however they are written") {
  for (const auto* text : {"1", "1.0", "10e-1", "0.1e1", "1.000", "1E0", "100e-2", "0.01e+2"}) {
    CAPTURE(text);
    const auto value = parse_json(text);
    REQUIRE(value.has_value());
    std::int64_t integer = 0;
    CHECK(as_integer(*value, integer));
    CHECK(integer == 1);
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
  CHECK(as_real(*parse_json("0.30000000000000004")) == 0.1 + 0.2);
  CHECK(as_real(*parse_json("2.2250738585072014e-308")) == 2.2250738585072014e-308);
  CHECK(as_real(*parse_json("1e-400")) == 0);
  CHECK(as_real(*parse_json("3")) == 3);
}

TEST_CASE("a number too large for a real, or subnormal, is an error") {
  CHECK(reread("2.2250738585072011e-308") == "error");
  CHECK(reread("1e400") == "error");
  CHECK(reread("-1e309") == "error");
  CHECK(reread(std::string(400, '9')) == "error");
  CHECK(reread("1e-99999999999999999999") == "error");
  CHECK(reread("0." + std::string(400, '0') + "1") == "0");
}

TEST_CASE("what is not JSON is an error") {
  for (const auto* text : {"",     "01",          "+1",          "1.",      ".5",       "{",
                           "[1,]", "{\"a\":1,}",  "tru",         "truex",   "\"a\tb\"", "[] x",
                           "'a'",  "[1 2]",       "{\"a\" 1}",   "{1:2}",   "[}",       "]",
                           "1 2",  "\"\\ud834\"", "\"\\u12g4\"", "[1.5.5]", "-"}) {
    CAPTURE(text);
    CHECK(reread(text) == "error");
  }
}

TEST_CASE("of members with one name the last counts") {
  CHECK(reread(R"({"a":1,"a":2})") == R"({"a":2})");
  CHECK(reread(R"({"a":[{}],"b":1,"a":2,"\u0061":{"c":3}})") == R"({"a":{"c":3},"b":1})");
  std::string many = "{";
  for (int i = 0; i < 100; ++i)
    many += "\"m" + std::to_string(i % 40) + "\":" + std::to_string(i) + ',';
  const auto value = parse_json(many + R"("m1":[7]})");
  REQUIRE(value.has_value());
  const JsonView root = *value;
  CHECK(root.size() == 40);
  std::size_t seen = 0;
  for (const auto& [name, member] : root.members()) {
    ++seen;
    CHECK(to_text(root.find(name)) == to_text(member));
  }
  CHECK(seen == 40);
  CHECK(to_text(root.find("m1")) == "[7]");
  CHECK(to_text(root.find("m19")) == "99");
  CHECK(to_text(root.find("m20")) == "60");
}

TEST_CASE("strings need not be UTF-8 to be read") { CHECK(reread("\"\xff\"") == "\"\xff\""); }

TEST_CASE("a trailing surrogate alone is read as ovsdb-server reads it") {
  CHECK(reread(R"("\udc00")") == "\"\xed\xb0\x80\"");
}

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
  JsonReader reader;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t size = 1; size < kSample.size(); ++size)
      REQUIRE(reader.read(kSample.substr(0, size)) == Status::kMore);
    REQUIRE(reader.read(kSample) == Status::kDone);
    CHECK(to_text(reader.take(kSample)) == reread(kSample));
  }
}

TEST_CASE("a fault in any piece is the fault of the whole") {
  for (const std::string_view text :
       {R"({"a" 1})", R"(["\u00zz"])", "[truf]", "[01]", "[-x]", R"({"a":1 "b":2})"}) {
    CAPTURE(text);
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      JsonReader reader;
      reader.read(text.substr(0, cut));
      CHECK(reader.read(text) == Status::kFailed);
      CHECK(reader.fault(text) == describe_json_fault(text));
    }
  }
}

TEST_CASE("the reader takes no byte beyond the value's end") {
  JsonReader reader;
  const std::string_view text = R"({"a":1}{"b":2})";
  CHECK(reader.read(text) == Status::kDone);
  CHECK(reader.position() == 7);
  CHECK(to_text(reader.take(text)) == R"({"a":1})");
}

TEST_CASE("a number or word at top level is complete at the end of the text") {
  JsonReader reader(JsonReader::Top::kAny);
  CHECK(reader.read("1.") == Status::kMore);
  CHECK(reader.read("1.0e1") == Status::kMore);
  CHECK(reader.read("1.0e1", true) == Status::kDone);
  CHECK(to_text(reader.take(std::string_view("1.0e1"))) == "10");
  CHECK(reader.read("true") == Status::kMore);
  CHECK(reader.read("true", true) == Status::kDone);
}

TEST_CASE("a document owns its text, however large it is") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{100'000}}) {
    std::string text = R"({"s":"\u00e4","a":[)";
    for (std::size_t i = 1; i < count; ++i) text += "\"element\",";
    text += "\"last\"]}";
    JsonReader reader;
    REQUIRE(reader.read(text) == Status::kDone);
    JsonDocument first = reader.take(std::move(text));
    const JsonView root = first;
    const JsonDocument moved = std::move(first);
    CHECK(root.find("s").get_string() == "ä");
    CHECK(root.find("a").size() == count);
    CHECK(root.find("a")[count - 1].get_string() == "last");
  }
}

TEST_CASE("values that lie too deep for the index are checked, and not indexed") {
  JsonReader reader(JsonReader::Top::kContainer, 1);
  const std::string_view text = R"({"a":{"b":["\n",1]},"c":"\t","d":[[]],"e":2})";
  REQUIRE(reader.read(text) == Status::kDone);
  const JsonDocument document = reader.borrow(text);
  CHECK(to_text(document) == R"({"a":{},"c":"\t","d":[],"e":2})");
  CHECK(reader.read(R"({"a":{"b":[01]}})") == Status::kFailed);
}

TEST_CASE("a view of nothing reads like null") {
  const JsonView none;
  CHECK_FALSE(none);
  CHECK(none.is_null());
  CHECK_FALSE(none.find("a"));
  CHECK_FALSE(JsonView(JsonDocument()));
  CHECK(to_text(none) == "null");
  CHECK(parse_json("null")->root());
}
