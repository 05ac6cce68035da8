#include "server/database/database.h"

#include "engine.h"

using namespace tandem;

namespace {

constexpr std::string_view kSchema = R"({"name":"T","tables":{
  "root":{"isRoot":true,"indexes":[["name"]],"columns":{
    "name":{"type":"string"},
    "kids":{"type":{"key":{"type":"uuid","refTable":"kid"},"min":0,"max":"unlimited"}},
    "weak":{"type":{"key":{"type":"uuid","refTable":"kid","refType":"weak"},"min":0,"max":"unlimited"}}}},
  "kid":{"columns":{"n":{"type":"integer"}}}}})";

constexpr std::string_view kDelete9 =
    R"({"op":"delete","table":"kid","where":[["_uuid","==",["uuid","00000000-0000-0000-0000-000000000009"]]]})";

std::string root(int id, const std::string& name, const std::string& columns) {
  return R"({"op":"insert","table":"root","uuid":")" + uuid(id) + R"(","row":{"name":")" + name +
         "\"" + columns + "}}";
}

std::size_t rows_in(const TableSnapshot& table) {
  std::size_t n = 0;
  table.for_each([&](const Row&) { n++; });
  return n;
}

}  // namespace

TEST_CASE(
    "a commit that is reverted leaves the database, its references and its indexes as before") {
  Engine engine(kSchema);
  engine.transact(R"({"op":"insert","table":"kid","uuid":")" + uuid(9) + R"(","row":{}})",
                  root(1, "a", R"(,"kids":)" + ref(9)), root(2, "b", R"(,"weak":)" + ref(9)));
  const std::string before = engine.contents();

  engine.transact(R"({"op":"delete","table":"root","where":[["name","==","a"]]})",
                  root(3, "a", ""));
  REQUIRE(engine.outcome.commit);
  REQUIRE(engine.contents() != before);
  engine.database.revert(*engine.outcome.commit);

  CHECK(engine.contents() == before);
  CHECK(details_of_last(engine.transact(kDelete9)) ==
        "cannot delete kid row " + uuid(9) + " because of 1 remaining reference(s)");
  CHECK(details_of_last(engine.transact(root(4, "a", ""))).find("identical values") !=
        std::string::npos);
  engine.transact(R"({"op":"delete","table":"root","where":[["name","==","a"]]})");
  CHECK(engine.record() == R"({"_date":7,"_is_diff":true,"kid":{")" + uuid(9) +
                               R"(":null},"root":{")" + uuid(1) + R"(":null,")" + uuid(2) +
                               R"(":{"weak":)" + ref(9) + "}}}");
}

TEST_CASE("a snapshot keeps the rows of its moment") {
  Engine engine(kSchema);
  for (int i = 1; i <= 300; i++) engine.transact(root(i, std::to_string(i), ""));
  const Snapshot snapshot = engine.database.snapshot();
  const std::string before = engine.contents();
  engine.transact(R"({"op":"delete","table":"root","where":[["name","!=","7"]]})",
                  root(999, "new", ""));
  CHECK(engine.database.row_count() == 2);
  CHECK(rows_in(snapshot.tables[1]) == 300);
  CHECK(snapshot.tables[1].size() == 300);
  CHECK(record_of(snapshot) == before);
}

TEST_CASE("rows may be applied before the rows that they refer to") {
  Engine engine(kSchema);
  REQUIRE(engine
              .replay(R"({"root":{")" + uuid(1) + R"(":{"name":"a","kids":)" + ref(9) +
                      R"(,"weak":)" + ref(9) + "}}}")
              .has_value());
  REQUIRE(engine.replay(R"({"kid":{")" + uuid(9) + R"(":{}}})").has_value());
  CHECK(details_of_last(engine.transact(kDelete9)) ==
        "cannot delete kid row " + uuid(9) + " because of 1 remaining reference(s)");
  engine.transact(R"({"op":"update","table":"root","where":[],"row":{"kids":["set",[]]}})");
  CHECK(engine.transact(R"({"op":"select","table":"root","where":[],"columns":["weak"]})") ==
        R"([{"rows":[{"weak":["set",[]]}]}])");
  CHECK(engine.database.row_count() == 1);
}

TEST_CASE("references to rows that never come do no harm") {
  Engine engine(kSchema);
  REQUIRE(engine
              .replay(R"({"root":{")" + uuid(1) + R"(":{"name":"a","kids":)" + ref(9) +
                      R"(,"weak":)" + ref(8) + "}}}")
              .has_value());
  CHECK(engine.database.row_count() == 1);
  CHECK(engine.database.find(0, Uuid{0, 9}) == nullptr);
  CHECK(engine.transact(R"({"op":"delete","table":"root","where":[]})") == R"([{"count":1}])");
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE("usage counts cells, atoms and weak references") {
  Engine engine(kSchema);
  engine.transact(R"({"op":"insert","table":"kid","uuid":")" + uuid(9) + R"(","row":{}})",
                  root(1, "a", R"(,"kids":)" + ref(9) + R"(,"weak":)" + ref(9)));
  const Usage usage = usage_of(engine.database.snapshot());
  CHECK(usage.cells > 4);
  CHECK(usage.atoms == 4);
  CHECK(usage.weak_refs == 1);
}

namespace {

constexpr std::string_view kRules = R"({"name":"T","tables":{
  "a":{"isRoot":true,"maxRows":3,"indexes":[["n"]],"columns":{"n":{"type":"integer"},
    "s":{"type":{"key":{"type":"uuid","refTable":"b"},"min":0,"max":"unlimited"}}}},
  "b":{"isRoot":true,"columns":{"x":{"type":"integer"}}}}})";

std::string refused(Engine& engine, std::string_view body) {
  const auto decoded = decode_record(engine.database, body);
  REQUIRE(decoded.has_value());
  const std::string before = engine.contents();
  const Result<void> taken =
      engine.database.take_over(decoded->changes, Database::References::kWhole);
  if (!taken) CHECK(engine.contents() == before);
  return taken ? "" : taken.error().to_string();
}

}  // namespace

TEST_CASE("what no transaction leaves is not taken over from others, and changes nothing") {
  Engine engine(kRules);
  const std::string one = R"({"b":{")" + uuid(9) + R"(":{"x":1}},"a":{")" + uuid(1) +
                          R"(":{"n":1,"s":)" + ref(9) + "}}}";
  REQUIRE(refused(engine, one) == "");
  CHECK(refused(engine, R"({"a":{")" + uuid(2) + R"(":{"n":1}}})") ==
        R"(constraint violation: rows of table "a" have identical values for an index)");
  CHECK(refused(engine, R"({"a":{")" + uuid(2) + R"(":{"n":2,"s":)" + ref(8) + "}}}") ==
        "referential integrity violation: Table a column s row " + uuid(2) +
            " references nonexistent row " + uuid(8) + " in table b.");
  CHECK(refused(engine, R"({"b":{")" + uuid(9) + R"(":null}})") ==
        "referential integrity violation: cannot delete b row " + uuid(9) +
            " because of 1 remaining reference(s)");
  CHECK(
      refused(engine, R"({"a":{")" + uuid(2) + R"(":{"n":2},")" + uuid(3) + R"(":{"n":3},")" +
                          uuid(4) + R"(":{"n":4}}})") ==
      R"(constraint violation: table "a" contains 4 rows, greater than the schema-defined limit of 3 row(s))");
  // The indexes and counts are as before, too.
  CHECK(refused(engine, R"({"a":{")" + uuid(1) + R"(":{"n":2},")" + uuid(2) + R"(":{"n":1}}})") ==
        "");
  CHECK(refused(engine, R"({"b":{")" + uuid(9) + R"(":null},"a":{")" + uuid(1) +
                            R"(":{"s":["set",[]]}}})") == "");
}

TEST_CASE("rows may refer to tables that are left out, and do not stand in the way of others") {
  Engine engine(kRules);
  const auto decoded =
      decode_record(engine.database, R"({"a":{")" + uuid(1) + R"(":{"n":1,"s":)" + ref(8) + "}}}");
  REQUIRE(decoded.has_value());
  REQUIRE(engine.database.take_over(decoded->changes, Database::References::kHoles));
  CHECK(refused(engine, R"({"a":{")" + uuid(2) + R"(":{"n":2}}})") == "");
  CHECK(refused(engine, R"({"a":{")" + uuid(2) + R"(":{"s":)" + ref(7) + "}}}") != "");
}
