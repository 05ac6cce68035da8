#include "protocol/json/value.h"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

using namespace tandem;

namespace {

std::string reread(std::string_view text) {
  const Result<Json> value = read_json(text);
  return value ? to_text(*value) : "error";
}

std::string fault(std::string_view text) { return read_json(text).error().to_string(); }

}  // namespace

TEST_CASE("a value is written compactly, with members sorted by name") {
  CHECK(reread(R"( { "b" : [ 1 , null , true , 2.5 , "x" ] , "a" : { } , "ab" : [ ] } )") ==
        R"({"a":{},"ab":[],"b":[1,null,true,2.5,"x"]})");
  CHECK(reread("\"\\u0001\\n\\\"\\\\/\\u00e9\\ud834\\udd1e\"") == R"("\u0001\n\"\\/é𝄞")");
}

TEST_CASE("an ordered value keeps the order in which members were put in") {
  OrderedJson value = {{"b", 1}, {"a", {{"z", 2}, {"y", nullptr}}}};
  value["aa"] = OrderedJson::array({OrderedJson::object()});
  CHECK(to_text(value) == R"({"b":1,"a":{"z":2,"y":null},"aa":[{}]})");
}

TEST_CASE("a value's numbers are integers if they have no fraction and fit, else reals") {
  for (const auto* text : {"1", "1.0", "10e-1", "1.00000000000000000000001"}) {
    const Result<Json> value = read_json(text);
    REQUIRE(value);
    CHECK(value->type() == Json::value_t::number_integer);
    CHECK(*value == 1);
  }
  CHECK(reread("[9223372036854775807,-9223372036854775808]") ==
        "[9223372036854775807,-9223372036854775808]");
  CHECK(read_json("9223372036854775808")->type() == Json::value_t::number_float);
  CHECK(reread("18446744073709551615") == "1.84467440737096e+19");
  CHECK(reread("1e400") == "error");
}

TEST_CASE("counts are written as integers as far as they can be read back as such") {
  CHECK(to_text(Json(std::uint64_t{1} << 62)) == "4611686018427387904");
  CHECK(to_text(Json(std::numeric_limits<std::uint64_t>::max())) == "1.84467440737096e+19");
}

TEST_CASE("reals are shown with 15 digits, and kept exactly where that is asked for") {
  const Json value = *read_json("[0.30000000000000004,1e+300]");
  CHECK(to_text(value) == "[0.3,1e+300]");
  CHECK(to_exact_text(value) == "[0.30000000000000004,1e+300]");
}

TEST_CASE("strings and names of a value need not be UTF-8") {
  CHECK(reread("{\"\xff\":\"\xc3\"}") == "{\"\xff\":\"\xc3\"}");
}

TEST_CASE("of a value's members with one name the last counts") {
  CHECK(reread(R"({"a":1,"b":2,"a":[3]})") == R"({"a":[3],"b":2})");
}

TEST_CASE("a text that is no value is refused with the place of the fault") {
  CHECK(fault(R"({"a" 1})") ==
        "syntax error: line 0, column 6, byte 6: syntax error parsing object expecting ':'");
  CHECK(reread("") == "error");
  CHECK(reread("[] []") == "error");
  CHECK(reread("\"\\u0000\"") == "error");
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(reread(nested(1000)) == nested(1000));
  CHECK(reread(nested(1001)) == "error");
}

TEST_CASE("a member is found in an object that has it, and nowhere else") {
  const Json value = *read_json(R"({"a":{"b":7},"s":"x"})");
  const Json* const a = find_member(value, "a");
  REQUIRE(a != nullptr);
  REQUIRE(find_member(*a, "b") != nullptr);
  CHECK(*find_member(*a, "b")->get_ptr<const std::int64_t*>() == 7);
  CHECK(find_member(value, "b") == nullptr);
  CHECK(find_member(*find_member(value, "s"), "b") == nullptr);
  CHECK(find_member(value, "s")->get_ptr<const bool*>() == nullptr);
}

TEST_CASE("an excerpt of a long value ends between characters") {
  CHECK(excerpt(Json("short")) == R"("short")");
  std::string text;
  while (text.size() < 70'000) text += "é";
  const std::string shown = excerpt(Json(text));
  CHECK(shown.size() == 65'535 + 3);
  CHECK(shown.ends_with("é..."));
}
