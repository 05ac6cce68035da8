#include "server/database/schema_conversion.h"

#include "engine.h"

using namespace tandem;

namespace {

std::string schema(std::string_view a_columns, std::string_view tables = "") {
  return R"({"name":"T","tables":{"a":{"isRoot":true,"columns":{)" + std::string(a_columns) +
         R"(}},"b":{"columns":{"n":{"type":"integer"}}})" + std::string(tables) + "}}";
}

constexpr std::string_view kColumns =
    R"("i":{"type":"integer"},"s":{"type":"string"},"m":{"type":{"key":"integer","min":0,"max":5}},)"
    R"("k":{"type":{"key":{"type":"uuid","refTable":"b"},"min":0,"max":2}},"e":{"type":"integer","ephemeral":true})";

/// Converts a database with one row in each of its tables; the new contents, or the error.
std::string convert(const std::string& to) {
  Engine engine(schema(kColumns, R"(,"c":{"isRoot":true,"columns":{"z":{"type":"integer"}}})"));
  engine.transact(R"({"op":"insert","table":"b","uuid":")" + uuid(9) + R"(","row":{"n":5}})",
                  R"({"op":"insert","table":"a","uuid":")" + uuid(1) +
                      R"(","row":{"i":5,"s":"str","m":["set",[1,2,3]],"e":7,"k":)" + ref(9) + "}}",
                  R"({"op":"insert","table":"c","uuid":")" + uuid(2) + R"(","row":{"z":1}})");
  auto converted = convert_database(engine.database.snapshot(), schema_of(to));
  if (!converted) return converted.error().to_string();
  return record_of((*converted)->snapshot());
}

std::string contents(const std::string& tables) {
  return R"({"_date":7,"_is_diff":true,)" + tables + "}";
}
const std::string kRowB = R"("b":{")" + uuid(9) + R"(":{"n":5}})";
std::string row_a(const std::string& columns) {
  return R"("a":{")" + uuid(1) + "\":{" + columns + "}}";
}

}  // namespace

TEST_CASE("dropped tables and columns go, new ones have defaults, the rest stays") {
  CHECK(
      convert(schema(
          R"("i":{"type":"integer"},"k":{"type":{"key":{"type":"uuid","refTable":"b"},"min":0,"max":2}},"new":{"type":"string"})",
          R"(,"d":{"columns":{"z":{"type":"integer"}}})")) ==
      contents(row_a(R"("i":5,"k":)" + ref(9)) + "," + kRowB));
}

TEST_CASE("rows to which no reference leads after a conversion are dropped") {
  CHECK(convert(schema(R"("i":{"type":"integer"})")) == contents(row_a(R"("i":5)")));
}

TEST_CASE("values move to types that can hold them") {
  CHECK(convert(schema(R"("i":{"type":{"key":"real","min":0,"max":4}})")) ==
        contents(row_a(R"("i":5)")));
  CHECK(convert(schema(R"("e":{"type":"integer"})")) == contents(row_a(R"("e":7)")));
}

TEST_CASE("values that do not fit the new type are errors") {
  CHECK(convert(schema(R"("i":{"type":"string"})")) ==
        R"(syntax "5": syntax error: expected string)");
  CHECK(
      convert(schema(R"("m":{"type":{"key":"integer","min":0,"max":2}})")) ==
      R"(syntax "["set",[1,2,3]]": syntax error: set must have 0 to 2 members but 3 are present)");
  CHECK(convert(schema(R"("i":{"type":{"key":{"type":"integer","maxInteger":3}}})")) ==
        "constraint violation: 5 is greater than maximum allowed value 3");
}

TEST_CASE("all rules of a commit hold for the converted rows") {
  CHECK(convert(schema(R"("n":{"type":{"key":{"type":"uuid","refTable":"b"}}})")) ==
        "referential integrity violation: Table a column n row " + uuid(1) +
            " references nonexistent row 00000000-0000-0000-0000-000000000000 in table b.");
}
