#include "protocol/type.h"

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"

using namespace tandem;

namespace {

/// The type as it prints again, or the error.
std::string reread(std::string_view text) {
  const JsonDocument value = parse_json(text).value();
  const auto type = ColumnType::from_json(value);
  return type ? to_text(*type) : type.error().to_string();
}

ColumnType type(std::string_view text) {
  return ColumnType::from_json(parse_json(text).value()).value();
}

std::string key_error(std::string_view base) {
  return reread(R"({"key":)" + std::string(base) + "}");
}

}  // namespace

TEST_CASE("types print without what is at its default") {
  CHECK(reread(R"("integer")") == R"("integer")");
  CHECK(reread(R"({"key":{"type":"integer"}})") == R"("integer")");
  CHECK(reread(R"({"key":"integer","min":1,"max":1})") == R"("integer")");
  CHECK(reread(R"({"key":"integer","min":0})") == R"({"key":"integer","min":0})");
  CHECK(reread(R"({"key":"integer","max":"unlimited"})") ==
        R"({"key":"integer","max":"unlimited"})");
  CHECK(reread(R"({"key":"integer","value":"string"})") == R"({"key":"integer","value":"string"})");
  CHECK(reread(R"({"key":"integer","min":0,"max":2147483648})") ==
        R"({"key":"integer","max":2147483648,"min":0})");
}

TEST_CASE("constraints print as they were read, except those that forbid nothing") {
  for (const auto* base :
       {R"({"minInteger":1,"type":"integer"})",
        R"({"maxInteger":4294967295,"minInteger":0,"type":"integer"})",
        R"({"maxReal":10,"minReal":2.5,"type":"real"})",
        R"({"maxLength":3,"minLength":3,"type":"string"})", R"({"enum":"a","type":"string"})",
        R"({"enum":["set",["a","b"]],"type":"string"})", R"({"refTable":"U","type":"uuid"})",
        R"({"refTable":"U","refType":"weak","type":"uuid"})"}) {
    CHECK(key_error(base) == R"({"key":)" + std::string(base) + "}");
  }
  CHECK(key_error(R"({"type":"integer","minInteger":1.0})") ==
        R"({"key":{"minInteger":1,"type":"integer"}})");
  CHECK(key_error(R"({"type":"string","enum":["set",["b","a"]]})") ==
        R"({"key":{"enum":["set",["a","b"]],"type":"string"}})");
  CHECK(key_error(R"({"type":"uuid","refTable":"U","refType":"strong"})") ==
        R"({"key":{"refTable":"U","type":"uuid"}})");
  CHECK(key_error(R"({"type":"string","minLength":0,"maxLength":4294967295})") == R"("string")");
  CHECK(
      key_error(
          R"({"type":"integer","minInteger":-9223372036854775808,"maxInteger":9223372036854775807})") ==
      R"("integer")");
}

TEST_CASE("faulty types are refused in ovsdb-server's words") {
  CHECK(reread(R"("foo")") == R"(syntax ""foo"": syntax error: "foo" is not an atomic-type)");
  CHECK(
      reread(R"({"key":1})") ==
      R"(syntax "{"key":1}": syntax error: Parsing ovsdb type failed: Type mismatch for member 'key'.)");
  CHECK(
      reread("{}") ==
      R"(syntax "{}": syntax error: Parsing ovsdb type failed: Required 'key' member is missing.)");
  CHECK(reread(R"({"key":"integer","min":2})") ==
        R"(syntax "{"key":"integer","min":2}": syntax error: ovsdb type fails constraint checks)");
  CHECK(
      reread(R"({"key":"integer","min":0,"max":0})") ==
      R"(syntax "{"key":"integer","max":0,"min":0}": syntax error: ovsdb type fails constraint checks)");
  CHECK(reread(R"({"key":"integer","max":"foo"})") ==
        R"(syntax ""foo"": syntax error: bad min or max value)");
  CHECK(reread(R"({"key":"integer","min":-1})") ==
        R"(syntax "-1": syntax error: bad min or max value)");
  CHECK(reread(R"({"key":"integer","max":4294967295})") ==
        R"(syntax "4294967295": syntax error: bad min or max value)");
}

TEST_CASE("faulty constraints are refused in ovsdb-server's words") {
  CHECK(
      key_error(R"({"type":"integer","minInteger":2,"maxInteger":1})") ==
      R"(syntax "{"maxInteger":1,"minInteger":2,"type":"integer"}": syntax error: minInteger exceeds maxInteger)");
  CHECK(
      key_error(R"({"type":"real","minReal":2.5,"maxReal":1})") ==
      R"(syntax "{"maxReal":1,"minReal":2.5,"type":"real"}": syntax error: minReal exceeds maxReal)");
  CHECK(
      key_error(R"({"type":"string","minLength":3,"maxLength":2})") ==
      R"(syntax "{"maxLength":2,"minLength":3,"type":"string"}": syntax error: minLength exceeds maxLength)");
  CHECK(key_error(R"({"type":"string","minLength":-1})") ==
        R"(syntax "-1": syntax error: minLength out of valid range 0 to 4294967295)");
  CHECK(key_error(R"({"type":"string","maxLength":4294967296})") ==
        R"(syntax "4294967296": syntax error: maxLength out of valid range 0 to 4294967295)");
  CHECK(
      key_error(R"({"type":"string","enum":["set",[]]})") ==
      R"(syntax "["set",[]]": syntax error: set must have 1 to 4294967295 members but 0 are present)");
  CHECK(key_error(R"({"type":"string","enum":["set",["a","a"]]})") ==
        "ovsdb error: set contains duplicate");
  CHECK(key_error(R"({"type":"string","enum":["set",["a"]],"minLength":1})") ==
        R"(syntax "{"enum":["set",["a"]],"minLength":1,"type":"string"}": syntax error: )"
        "Parsing ovsdb type failed: Member 'minLength' is present but not allowed here.");
  CHECK(key_error(R"({"type":"uuid","refTable":"U","refType":"foo"})") ==
        R"(syntax "{"refTable":"U","refType":"foo","type":"uuid"}": syntax error: )"
        R"(refType must be "strong" or "weak" (not "foo"))");
  CHECK(key_error(R"({"type":"string","refTable":"U"})") ==
        R"(syntax "{"refTable":"U","type":"string"}": syntax error: )"
        "Parsing ovsdb type failed: Member 'refTable' is present but not allowed here.");
}

TEST_CASE("types are described in English as ovsdb-server does") {
  CHECK(type(R"("string")").to_english() == "string");
  CHECK(type(R"({"key":"integer","min":1,"max":2})").to_english() == "set of 1 to 2 integers");
  CHECK(type(R"({"key":"string","min":0,"max":1})").to_english() == "set of up to 1 strings");
  CHECK(type(R"({"key":"uuid","min":1,"max":"unlimited"})").to_english() ==
        "set of 1 or more uuids");
  CHECK(type(R"({"key":"string","min":0,"max":"unlimited"})").to_english() == "set of strings");
  CHECK(type(R"({"key":"string","value":"integer"})").to_english() ==
        "map of 1 to 1 (string, integer) pairs");
  CHECK(type(R"({"key":"string","value":"integer","min":0,"max":3})").to_english() ==
        "map of up to 3 (string, integer) pairs");
  CHECK(type(R"({"key":"string","value":"uuid","min":0,"max":"unlimited"})").to_english() ==
        "map of (string, uuid) pairs");
}

TEST_CASE("defaults are empty where the column may be empty, else one element of zeros") {
  CHECK(type(R"({"key":"integer","min":0})").default_datum().empty());
  CHECK(type(R"("integer")").default_datum() == Datum::of(std::int64_t{0}));
  CHECK(type(R"({"key":{"type":"string","enum":["set",["a","b"]]}})").default_datum() ==
        Datum::of(std::string_view()));
  CHECK(type(R"({"key":{"type":"integer","minInteger":5}})").default_datum() ==
        Datum::of(std::int64_t{0}));
  const Datum map = type(R"({"key":"string","value":"uuid"})").default_datum();
  REQUIRE(map.size() == 1);
  CHECK(map.view().key(0) == AtomView(std::string_view()));
  CHECK(map.view().value(0) == AtomView(Uuid()));
  CHECK(type(R"("integer")").default_datum().same(type(R"("integer")").default_datum()));
}

TEST_CASE("a computed datum is checked for its size and its atoms") {
  const ColumnType range = type(R"({"key":{"type":"integer","minInteger":1},"min":1,"max":2})");
  DatumBuilder builder(AtomicType::kInteger);
  CHECK(range.check(builder.build_sorted().view()).error().details ==
        "Attempted to store 0 elements in set of 1 to 2 integers.");
  builder.add(std::int64_t{-1});
  CHECK(range.check(builder.build_sorted().view()).error() ==
        constraint_violation("-1 is less than minimum allowed value 1"));
  CHECK(range.check(Datum::of(std::int64_t{1}).view()));
}

TEST_CASE("types compare by all that constrains them") {
  const char* base = R"({"key":{"type":"string","enum":["set",["a","b"]]}})";
  CHECK(type(base) == type(base));
  CHECK_FALSE(type(base) == type(R"({"key":{"type":"string","enum":["set",["a"]]}})"));
  CHECK_FALSE(type(base) == type(R"("string")"));
  CHECK_FALSE(type(R"({"key":"string","min":0})") == type(R"("string")"));
  CHECK_FALSE(type(R"({"key":"string","value":"string"})") == type(R"("string")"));
}
