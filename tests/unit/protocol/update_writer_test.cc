#include <catch2/catch.hpp>

#include "protocol/monitor.h"
#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

MonitorRequest request(MonitorVersion version, std::string_view text) {
  return MonitorRequest::from_json(schema(), version, parsed(text)).value();
}

/// What the monitor is sent of one change in its only table; null rows: none.
std::string sent(MonitorVersion version, std::string_view monitor, const RowRef& before,
                 const RowRef& after) {
  const MonitorRequest asked = request(version, monitor);
  std::string text;
  UpdateWriter writer(asked, text);
  writer.change(asked.tables[0], before.get(), after.get());
  writer.end();
  CHECK(writer.empty() == (text == "{}"));
  return text;
}

std::string update(std::string_view monitor, const RowRef& before, const RowRef& after) {
  return sent(MonitorVersion::kUpdate, monitor, before, after);
}

std::string update2(std::string_view monitor, const RowRef& before, const RowRef& after) {
  return sent(MonitorVersion::kUpdate2, monitor, before, after);
}

/// The text of an update of row 1 of the table.
std::string of_row(std::string_view table, std::string_view row_update) {
  return "{\"" + std::string(table) + R"(":{"550e8400-e29b-41d4-a716-446655440001":)" +
         std::string(row_update) + "}}";
}

RowRef q(std::string_view values) { return row(values, "q"); }

constexpr const char* kBoth = R"({"q":{"columns":["n","name"]}})";

}  // namespace

TEST_CASE("an update has old and new, old with changed columns only") {
  const auto a = q(R"({"n":1,"name":"a"})");
  const auto b = q(R"({"n":1,"name":"b"})");
  CHECK(update(kBoth, nullptr, a) == of_row("q", R"({"new":{"n":1,"name":"a"}})"));
  CHECK(update(kBoth, a, b) == of_row("q", R"({"new":{"n":1,"name":"b"},"old":{"name":"a"}})"));
  CHECK(update(kBoth, b, nullptr) == of_row("q", R"({"old":{"n":1,"name":"b"}})"));
}

TEST_CASE("an update2 leaves out defaults, and deletes are null") {
  const auto a = q(R"({"n":1})");
  CHECK(update2(kBoth, nullptr, a) == of_row("q", R"({"insert":{"n":1}})"));
  CHECK(update2(kBoth, nullptr, q("{}")) == of_row("q", R"({"insert":{}})"));
  CHECK(update2(kBoth, a, q("{}")) == of_row("q", R"({"modify":{"n":0}})"));
  CHECK(update2(kBoth, a, nullptr) == of_row("q", R"({"delete":null})"));
}

TEST_CASE("an update2 has differences of sets and maps, and new values of scalars") {
  const auto* columns = R"({"t":{"columns":["mss","oi","s","si"]}})";
  const auto a = row(R"({"si":["set",[1,2]],"oi":1,"s":"x","mss":["map",[["a","x"],["b","y"]]]})");
  const auto b = row(R"({"si":["set",[2,3]],"s":"y","mss":["map",[["a","z"],["c","y"]]]})");
  CHECK(update2(columns, a, b) ==
        of_row("t", R"({"modify":{"mss":["map",[["a","z"],["b","y"],["c","y"]]],"oi":["set",[]],)"
                    R"("s":"y","si":["set",[1,3]]}})"));
}

TEST_CASE("changes of columns that are not monitored are not sent") {
  const auto* monitor = R"({"q":{"columns":["n"]}})";
  const auto a = q(R"({"name":"a"})");
  const auto b = q(R"({"name":"b"})");
  CHECK(update(monitor, a, b) == "{}");
  CHECK(update2(monitor, a, b) == "{}");
  CHECK(update2(R"({"q":{"columns":[]}})", a, nullptr) == of_row("q", R"({"delete":null})"));
}

TEST_CASE("the row's version is a column that changes with it, its UUID one that does not") {
  RowDraft a = Row::create(table("q"), uuid(1));
  RowDraft b = Row::clone(*a);
  b->set_version(uuid(7));
  CHECK(update2(R"({"q":{"columns":["_uuid","_version","n"]}})", a, b) ==
        of_row("q", R"({"modify":{"_version":["uuid","550e8400-e29b-41d4-a716-446655440007"]}})"));
  CHECK(update2(R"({"q":{"columns":["_uuid"]}})", nullptr, a) ==
        of_row("q", R"({"insert":{"_uuid":["uuid","550e8400-e29b-41d4-a716-446655440001"]}})"));
}

TEST_CASE("a row that begins to match a condition is inserted, one that ceases deleted") {
  const auto* monitor = R"({"q":{"columns":["name"],"where":[["n","==",1]]}})";
  const auto out = q(R"({"n":0,"name":"a"})");
  const auto in = q(R"({"n":1,"name":"a"})");
  CHECK(update2(monitor, out, in) == of_row("q", R"({"insert":{"name":"a"}})"));
  CHECK(update2(monitor, in, out) == of_row("q", R"({"delete":null})"));
  CHECK(update2(monitor, out, q(R"({"n":2})")) == "{}");
  CHECK(update2(monitor, nullptr, out) == "{}");
  CHECK(update2(monitor, in, q(R"({"n":1})")) == of_row("q", R"({"modify":{"name":""}})"));
}

TEST_CASE("select says which changes are sent") {
  const auto a = q(R"({"n":1})");
  const auto b = q(R"({"n":2})");
  CHECK(update2(R"({"q":{"select":{"insert":false}}})", nullptr, a) == "{}");
  CHECK(update2(R"({"q":{"select":{"modify":false}}})", a, b) == "{}");
  CHECK(update2(R"({"q":{"select":{"delete":false}}})", a, nullptr) == "{}");
  CHECK(update2(R"({"q":{"columns":["n"],"where":[["n","==",2]],"select":{"insert":false}}})", a,
                b) == "{}");
}

TEST_CASE("select holds for its own columns") {
  const auto* monitor =
      R"({"q":[{"columns":["n"],"select":{"modify":false}},{"columns":["name"]}]})";
  const auto a = q(R"({"n":1,"name":"a"})");
  CHECK(update(monitor, a, q(R"({"n":2,"name":"b"})")) ==
        of_row("q", R"({"new":{"name":"b"},"old":{"name":"a"}})"));
  CHECK(update(monitor, a, q(R"({"n":2,"name":"a"})")) == "{}");
  CHECK(update(monitor, a, nullptr) == of_row("q", R"({"old":{"n":1,"name":"a"}})"));
}

TEST_CASE("initial rows stand by table") {
  const MonitorRequest asked =
      request(MonitorVersion::kUpdate3, R"({"q":{"columns":["n"]},"t":{"columns":["i"]}})");
  std::string text;
  UpdateWriter writer(asked, text);
  writer.initial(asked.tables[0], *row(R"({"n":1})", "q", 1));
  writer.initial(asked.tables[0], *row("{}", "q", 2));
  writer.initial(asked.tables[1], *row(R"({"i":3})", "t", 3));
  writer.end();
  CHECK(text == R"({"q":{"550e8400-e29b-41d4-a716-446655440001":{"initial":{"n":1}},)"
                R"("550e8400-e29b-41d4-a716-446655440002":{"initial":{}}},)"
                R"("t":{"550e8400-e29b-41d4-a716-446655440003":{"initial":{"i":3}}}})");
}

TEST_CASE("initial rows of the first version are new, with defaults") {
  const MonitorRequest asked = request(MonitorVersion::kUpdate, kBoth);
  std::string text;
  UpdateWriter writer(asked, text);
  writer.initial(asked.tables[0], *q("{}"));
  writer.end();
  CHECK(text == of_row("q", R"({"new":{"n":0,"name":""}})"));
}

TEST_CASE("a monitor without initial gets nothing at first") {
  const MonitorRequest asked =
      request(MonitorVersion::kUpdate2, R"({"q":{"select":{"initial":false}}})");
  std::string text;
  UpdateWriter writer(asked, text);
  writer.initial(asked.tables[0], *q("{}"));
  writer.end();
  CHECK(writer.empty());
  CHECK(text == "{}");
}
