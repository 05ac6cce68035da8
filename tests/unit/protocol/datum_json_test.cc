#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"
#include "protocol/type.h"

using namespace tandem;

namespace {

constexpr const char* kUuid = "550e8400-e29b-41d4-a716-446655440000";

ColumnType type(std::string_view text) {
  return ColumnType::from_json(parse_json(text).value()).value();
}

/// The value as it prints again, or the error.
std::string reread(std::string_view type_text, std::string_view text,
                   ColumnType::Sizes sizes = ColumnType::Sizes::kChecked) {
  const JsonDocument value = parse_json(text).value();
  SymbolTable symbols;
  const auto datum = type(type_text).datum_from_json(value, &symbols, sizes);
  if (!datum) return datum.error().to_string();
  std::string out;
  append_datum_json(out, datum->view());
  return out;
}

std::string syntax(std::string_view where, std::string_view details) {
  return "syntax \"" + std::string(where) + "\": syntax error: " + std::string(details);
}

constexpr const char* kInteger = R"("integer")";
constexpr const char* kIntegers = R"({"key":"integer","min":0,"max":"unlimited"})";
constexpr const char* kStringMap = R"({"key":"string","value":"string","min":0,"max":"unlimited"})";
constexpr const char* kUuidType = R"("uuid")";

}  // namespace

TEST_CASE("scalars are read bare or as a set of one") {
  CHECK(reread(kInteger, "5") == "5");
  CHECK(reread(kInteger, "5.0") == "5");
  CHECK(reread(kInteger, R"(["set",[5]])") == "5");
  CHECK(reread(R"("real")", "5") == "5");
  CHECK(reread(R"("real")", "2.5") == "2.5");
  CHECK(reread(R"("boolean")", "true") == "true");
  CHECK(reread(R"("string")", R"("a\n")") == R"("a\n")");
  CHECK(reread(kUuidType, R"(["uuid","550E8400-e29b-41d4-a716-446655440000"])") ==
        R"(["uuid","550e8400-e29b-41d4-a716-446655440000"])");
}

TEST_CASE("an atom of the wrong type says what is expected") {
  CHECK(reread(kInteger, "1.5") == syntax("1.5", "expected integer"));
  CHECK(reread(kInteger, "[]") == syntax("[]", "expected integer"));
  CHECK(reread(kInteger, R"(["map",[]])") == syntax(R"(["map",[]])", "expected integer"));
  CHECK(reread(R"("real")", R"("x")") == syntax(R"("x")", "expected real"));
  CHECK(reread(R"("boolean")", "0") == syntax("0", "expected boolean"));
  CHECK(reread(R"("string")", "true") == syntax("true", "expected string"));
  CHECK(reread(kIntegers, R"(["set",[1,"x"]])") == syntax(R"("x")", "expected integer"));
}

TEST_CASE("faulty UUIDs are refused in ovsdb-server's words") {
  CHECK(reread(kUuidType, R"("x")") == syntax(R"("x")", R"(expected ["uuid", <string>])"));
  CHECK(reread(kUuidType, R"(["uuid",1])") ==
        syntax(R"(["uuid",1])", R"(expected ["uuid", <string>])"));
  CHECK(reread(kUuidType, R"(["uuid","x"])") ==
        syntax(R"(["uuid","x"])", R"("x" is not a valid UUID)"));
  CHECK(reread(kUuidType, R"(["named-uuid",1])") ==
        syntax(R"(["named-uuid",1])", R"(expected ["uuid", <string>])"));
  CHECK(reread(kUuidType, R"(["named-uuid","1x"])") ==
        syntax(R"(["named-uuid","1x"])", "named-uuid string is not a valid <id>"));
}

TEST_CASE("a named-uuid reads as the symbol's UUID, and only where symbols are allowed") {
  SymbolTable symbols;
  const JsonDocument value = parse_json(R"(["named-uuid","row1"])").value();
  const auto datum = type(kUuidType).datum_from_json(value, &symbols);
  REQUIRE(datum.has_value());
  CHECK(datum->view().key(0) == AtomView(symbols.get("row1").uuid));
  CHECK(type(kUuidType).datum_from_json(value, nullptr).error().details ==
        R"(expected ["uuid", <string>])");
}

TEST_CASE("sets are sorted, and one with a single element prints bare") {
  CHECK(reread(kIntegers, R"(["set",[3,1,2]])") == R"(["set",[1,2,3]])");
  CHECK(reread(kIntegers, R"(["set",[]])") == R"(["set",[]])");
  CHECK(reread(kIntegers, R"(["set",[7]])") == "7");
}

TEST_CASE("faulty sets are refused in ovsdb-server's words") {
  CHECK(reread(kIntegers, R"(["set",[1,1.0]])") == "ovsdb error: set contains duplicate");
  CHECK(reread(kIntegers, R"(["set"])") == syntax(R"(["set"])", R"(expected ["set", <array>])"));
  CHECK(reread(kIntegers, R"(["set",[],1])") ==
        syntax(R"(["set",[],1])", R"(expected ["set", <array>])"));
  CHECK(reread(kInteger, R"(["set",[]])") ==
        syntax(R"(["set",[]])", "set must have exactly one member but 0 are present"));
  CHECK(reread(R"({"key":"integer","min":0})", R"(["set",[1,2]])") ==
        syntax(R"(["set",[1,2]])", "set must have 0 to 1 members but 2 are present"));
}

TEST_CASE("maps are sorted by key and always print as maps") {
  CHECK(reread(kStringMap, R"(["map",[["b","1"],["a","2"]]])") ==
        R"(["map",[["a","2"],["b","1"]]])");
  CHECK(reread(kStringMap, R"(["map",[]])") == R"(["map",[]])");
}

TEST_CASE("faulty maps are refused in ovsdb-server's words") {
  CHECK(reread(kStringMap, R"(["map",[["a","1"],["a","1"]]])") ==
        "ovsdb error: map contains duplicate key");
  CHECK(reread(kStringMap, R"(["map",[["a"]]])") == syntax(R"(["a"])", "expected 2-element array"));
  CHECK(reread(kStringMap, R"(["map",[1]])") == syntax("1", "expected 2-element array"));
  CHECK(reread(kStringMap, R"(["set",[]])") ==
        syntax(R"(["set",[]])", R"(expected ["map", <array>])"));
  CHECK(reread(kStringMap, R"(["map",[["a",1]]])") == syntax("1", "expected string"));
  CHECK(reread(R"({"key":"string","value":"string"})", R"(["map",[]])") ==
        syntax(R"(["map",[]])", "map must have exactly one member but 0 are present"));
}

TEST_CASE("a difference may have any number of elements") {
  const char* bounded = R"({"key":"integer","min":1,"max":2})";
  CHECK(reread(bounded, R"(["set",[0,3,4]])", ColumnType::Sizes::kAny) == R"(["set",[0,3,4]])");
  CHECK(reread(bounded, R"(["set",[]])", ColumnType::Sizes::kAny) == R"(["set",[]])");
  CHECK(reread(bounded, R"(["set",[1,1]])", ColumnType::Sizes::kAny) ==
        "ovsdb error: set contains duplicate");
}

TEST_CASE("numbers out of range are refused in ovsdb-server's words") {
  const char* both = R"({"key":{"type":"integer","minInteger":1,"maxInteger":10}})";
  CHECK(reread(both, "11") ==
        "constraint violation: 11 is not in the valid range 1 to 10 (inclusive)");
  CHECK(reread(R"({"key":{"type":"integer","minInteger":5}})", "4") ==
        "constraint violation: 4 is less than minimum allowed value 5");
  CHECK(reread(R"({"key":{"type":"integer","maxInteger":-5}})", "-4") ==
        "constraint violation: -4 is greater than maximum allowed value -5");
  CHECK(reread(R"({"key":{"type":"real","minReal":1.5,"maxReal":2.5}})", "1e20") ==
        "constraint violation: 1e+20 is not in the valid range 1.5 to 2.5 (inclusive)");
  CHECK(reread(R"({"key":{"type":"real","minReal":1.5}})", "1") ==
        "constraint violation: 1 is less than minimum allowed value 1.5");
}

TEST_CASE("strings are measured in characters") {
  const char* sized = R"({"key":{"type":"string","minLength":2,"maxLength":4}})";
  CHECK(reread(sized, R"("éééé")") == R"("éééé")");
  CHECK(reread(sized, R"("a")") ==
        R"(constraint violation: "a" length 1 is less than minimum allowed length 2)");
  CHECK(reread(sized, R"("\n")") ==
        "constraint violation: \"\n\" length 1 is less than minimum allowed length 2");
  CHECK(reread(sized, R"("ééééé")") ==
        R"(constraint violation: "ééééé" length 5 is greater than maximum allowed length 4)");
}

TEST_CASE("a string that is not UTF-8 is a constraint violation") {
  CHECK(reread(R"("string")", "\"\xff\"") ==
        "constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence 0xff");
  CHECK(reread(R"("string")", "\"\xed\xa0\x80\"") ==
        "constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence 0xed 0xa0");
  CHECK(reread(R"("string")", "\"\xe2\x82\"") ==
        "constraint violation: not a valid UTF-8 string: invalid UTF-8 sequence 0xe2 0x82 0x00");
}

TEST_CASE("a value outside an enum is shown with the allowed ones, sorted") {
  const char* allowed = R"({"key":{"type":"string","enum":["set",["xyz","a b","def"]]}})";
  CHECK(reread(allowed, R"("def")") == R"("def")");
  CHECK(reread(allowed, R"("")") ==
        R"(constraint violation: "" is not one of the allowed values (["a b", def, xyz]))");
  CHECK(reread(R"({"key":{"type":"real","enum":["set",[7.5,3]]}})", "4") ==
        "constraint violation: 4 is not one of the allowed values ([3, 7.5])");
}

TEST_CASE("constraints hold for keys and values of maps") {
  const char* map =
      R"({"key":{"type":"string","enum":["set",["a","b"]]},"value":{"type":"integer","minInteger":1},"min":0,"max":3})";
  CHECK(reread(map, R"(["map",[["z",1]]])") ==
        "constraint violation: z is not one of the allowed values ([a, b])");
  CHECK(reread(map, R"(["map",[["a",0]]])") ==
        "constraint violation: 0 is less than minimum allowed value 1");
}

TEST_CASE("index errors show brackets around what may have another number of elements than one") {
  const auto text = [](std::string_view type_text, std::string_view value) {
    const ColumnType column = type(type_text);
    const JsonDocument json = parse_json(value).value();
    std::string out;
    append_datum_text(out, column, column.datum_from_json(json, nullptr).value().view());
    return out;
  };
  CHECK(text(R"("string")", R"("a b")") == R"("a b")");
  CHECK(text(kUuidType, R"(["uuid",")" + std::string(kUuid) + R"("])") == kUuid);
  CHECK(text(R"({"key":"string","min":0})", R"("x")") == "x");
  CHECK(text(R"({"key":"string","min":0})", R"(["set",[]])") == "[]");
  CHECK(text(R"({"key":"string","max":2})", R"("x")") == "[x]");
  CHECK(text(kIntegers, R"(["set",[2,1]])") == "[1, 2]");
  CHECK(text(kStringMap, R"(["map",[["k","1"],["a b","x"]]])") == R"({"a b"=x, k="1"})");
  CHECK(text(kStringMap, R"(["map",[]])") == "{}");
  CHECK(text(R"({"key":"string","value":"integer","min":0})", R"(["map",[["a",1]]])") == "a=1");
}
