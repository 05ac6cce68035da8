#include "server/tool/log_printer.h"

#include <catch2/catch.hpp>

#include "tests/unit/server/tool/tool_fixture.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// What is printed of records after a schema with a table T, at a detail.
std::string shown(const std::vector<std::string>& bodies, unsigned detail) {
  std::ostringstream out;
  tool::LogPrinter printer(out, detail);
  std::size_t index = 0;
  const auto print = [&](std::string_view body) {
    const storage::Record record{"db", index++, 0, 0, body, {}};
    REQUIRE(printer.print(record));
  };
  print(R"({"name":"lab","tables":{"T":{"columns":{"name":{"type":"string"},
        "tags":{"type":{"key":"string","min":0,"max":"unlimited"}}}}}})");
  out.str("");
  for (const std::string& body : bodies) print(body);
  return out.str();
}

const std::string kRow = R"("11111111-0000-4000-8000-000000000000":)";

}  // namespace

TEST_CASE("A record's line has its date in UTC and its comment") {
  CHECK(shown({R"({"_date":1700000000123,"_comment":"why"})"}, 0) ==
        "record 1: 2023-11-14 22:13:20.123 \"why\"\n");
  CHECK(shown({R"({"_date":1700000000})", "{}"}, 0) ==
        "record 1: 2023-11-14 22:13:20.000\nrecord 2:\n");
  CHECK_THAT(shown({R"({"_date":-9223372036854775808})"}, 0),
             Catch::StartsWith("record 1: -29227"));
}

TEST_CASE("Rows go by the name they had before the record") {
  CHECK(shown({R"({"T":{)" + kRow + R"({"name":"a"}}})",
               R"({"_is_diff":true,"T":{)" + kRow + R"({"name":"b"}}})",
               R"({"T":{)" + kRow + "null}}"},
              1) ==
        "record 1:\n  table T insert row \"a\" (11111111):\n\n"
        "record 2:\n  table T row \"a\" (11111111) diff:\n\n"
        "record 3:\n  table T row \"b\" (11111111):\n    delete row\n\n");
}

TEST_CASE("Columns are shown as people write them, unknown ones as JSON") {
  CHECK(shown({R"({"T":{)" + kRow + R"({"tags":["set",["x y","z"]],"other":["set",[1]]}}})"}, 2) ==
        "record 1:\n  table T insert row 11111111:\n"
        "    tags=[\"x y\", z]\n    other=[\"set\",[1]]\n\n");
}
