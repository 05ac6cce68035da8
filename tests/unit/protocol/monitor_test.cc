#include "protocol/monitor.h"

#include <catch2/catch.hpp>

#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

Result<MonitorRequest> read(std::string_view text,
                            MonitorVersion version = MonitorVersion::kUpdate2) {
  return MonitorRequest::from_json(schema(), version, parsed(text));
}

std::string error_of(std::string_view text, MonitorVersion version = MonitorVersion::kUpdate2) {
  const auto request = read(text, version);
  return request ? "none" : text_of(request.error());
}

}  // namespace

TEST_CASE("a monitor without columns asks for all but _uuid") {
  const auto request = read(R"({"q":{}})").value();
  REQUIRE(request.tables.size() == 1);
  const MonitoredTable& table = request.tables[0];
  REQUIRE(table.columns.size() == 3);
  CHECK(table.columns[0].column == kVersionColumn);
  CHECK(table.condition.is_always());
  CHECK(table.select == MonitorSelect{});
}

TEST_CASE("several requests of one table are merged") {
  const auto request = read(R"({"q":[{"columns":["name"],"select":{"initial":false,"modify":false}},
                                    {"columns":["n"],"select":{"modify":false}}]})")
                           .value();
  const MonitoredTable& table = request.tables[0];
  REQUIRE(table.columns.size() == 2);
  CHECK(table.columns[0].column == column("n", "q"));
  CHECK(table.columns[0].select.initial);
  CHECK_FALSE(table.columns[1].select.initial);
  CHECK(table.select.initial);
  CHECK_FALSE(table.select.modify);
}

TEST_CASE("conditions of several requests are alternatives") {
  const auto request =
      read(
          R"({"q":[{"columns":["n"],"where":[["n","==",1]]},{"columns":["name"],"where":[["n","==",2]]}]})")
          .value();
  CHECK(request.tables[0].condition.clauses().size() == 2);
}

TEST_CASE("a table without requests is not monitored") {
  const auto request = read(R"({"q":[],"t":[{}]})").value();
  CHECK(request.find(*schema()->find_table("q")) == nullptr);
  CHECK(request.find(*schema()->find_table("t")) != nullptr);
}

TEST_CASE("requests that ask for the same are equal") {
  CHECK(read(R"({"t":{},"q":{"columns":["n","name"]}})").value() ==
        read(R"({"q":[{"columns":["name"]},{"columns":["n"],"where":[true]}],"t":[{}]})").value());
  CHECK_FALSE(read(R"({"q":{}})").value() == read(R"({"q":{"where":[["n","==",1]]}})").value());
}

TEST_CASE("bad monitor requests say why in ovsdb-server's words") {
  CHECK(error_of("[]") ==
        R"({"details":"monitor-requests must be object","error":"syntax error","syntax":"[]"})");
  CHECK(error_of(R"({"zz":{}})") == R"({"details":"no table named zz","error":"syntax error"})");
  CHECK(error_of(R"({"q":5})") ==
        R"({"details":"Parsing table q failed: Object expected.","error":"syntax error"})");
  CHECK(error_of(R"({"q":{"columns":[5]}})") ==
        R"({"details":"array of column names expected","error":"syntax error","syntax":"[5]"})");
  CHECK(
      error_of(R"({"q":{"columns":["zz"]}})") ==
      R"({"details":"zz is not a valid column name","error":"syntax error","syntax":"[\"zz\"]"})");
  CHECK(
      error_of(R"({"q":{"columns":["n","n"]}})") ==
      R"({"details":"column n mentioned more than once","error":"syntax error","syntax":"[\"n\",\"n\"]"})");
  CHECK(error_of(R"({"q":[{"columns":["n"]},{}]})") ==
        R"({"details":"column n mentioned more than once","error":"syntax error"})");
  CHECK(
      error_of(R"({"q":{"select":{"zz":true}}})") ==
      R"({"details":"Parsing table q select failed: Member 'zz' is present but not allowed here.",)"
      R"("error":"syntax error","syntax":"{\"zz\":true}"})");
  CHECK(error_of(R"({"q":{"where":[["zz"]]}})") ==
        R"({"details":"Parse error in condition.","error":"syntax error","syntax":"[\"zz\"]"})");
}

TEST_CASE("the first version of monitors has no conditions") {
  CHECK(error_of(R"({"q":{"where":[]}})", MonitorVersion::kUpdate) ==
        R"({"details":"Parsing table q failed: Member 'where' is present but not allowed here.",)"
        R"("error":"syntax error","syntax":"{\"where\":[]}"})");
}

TEST_CASE("a condition change replaces the conditions of the tables it names") {
  const auto before =
      read(R"({"q":{"where":[["n","==",1]]},"t":{"where":[["i","==",1]]}})").value();
  const auto after = before.with_conditions(parsed(R"({"q":[{"where":[["n","==",2]]}]})")).value();
  CHECK(after == read(R"({"q":{"where":[["n","==",2]]},"t":{"where":[["i","==",1]]}})").value());
  CHECK(before.with_conditions(parsed(R"({"q":[{}]})")).value().tables[0].condition.is_always());
}

TEST_CASE("a condition change of a monitor of the first version changes nothing, and is not read") {
  const auto before = read(R"({"q":{}})", MonitorVersion::kUpdate).value();
  CHECK(before.with_conditions(parsed(R"({"q":[{"where":[5]}]})")).value() == before);
  CHECK_FALSE(before.with_conditions(parsed(R"({"q":[{"where":5}]})")).has_value());
}

TEST_CASE("bad condition changes say why in ovsdb-server's words") {
  const auto request = read(R"({"q":{}})").value();
  const auto change_error = [&](std::string_view text) {
    const auto changed = request.with_conditions(parsed(text));
    return changed ? "none" : changed.error().details;
  };
  CHECK(change_error("5") == "monitor-cond-change-requests must be object");
  CHECK(change_error(R"({"zz":[]})") == "no table named zz");
  CHECK(change_error(R"({"t":[]})") == "no table named t in monitor session");
  CHECK(change_error(R"({"q":{}})") == "table q no monitor-cond-change JSON array");
  CHECK(change_error(R"({"q":[{"columns":["n"]}]})") == "changing columns is unsupported");
  CHECK(change_error(R"({"q":[{"select":{}}]})") ==
        "Parsing table q failed: Member 'select' is present but not allowed here.");
}

TEST_CASE("requests of other columns or selections have other hashes") {
  const std::size_t one = read(R"({"q":{"columns":["name"]}})").value().hash();
  CHECK(one == read(R"({"q":[{"columns":["name"]}]})").value().hash());
  CHECK(one != read(R"({"q":{"columns":["n"]}})").value().hash());
  CHECK(one != read(R"({"q":{"columns":["name"],"select":{"delete":false}}})").value().hash());
}
