#include "server/database/commit_check.h"

#include "engine.h"

using namespace tandem;

namespace {

constexpr std::string_view kSchema = R"({"name":"T","tables":{
  "root":{"isRoot":true,"columns":{
    "name":{"type":"string"},
    "kids":{"type":{"key":{"type":"uuid","refTable":"kid"},"min":0,"max":"unlimited"}},
    "named":{"type":{"key":"string","value":{"type":"uuid","refTable":"kid"},"min":0,"max":"unlimited"}},
    "weak":{"type":{"key":{"type":"uuid","refTable":"kid","refType":"weak"},"min":0,"max":"unlimited"}},
    "pairs":{"type":{"key":{"type":"uuid","refTable":"kid","refType":"weak"},"value":{"type":"uuid","refTable":"kid","refType":"weak"},"min":0,"max":"unlimited"}}}},
  "kid":{"columns":{
    "name":{"type":"string"},
    "next":{"type":{"key":{"type":"uuid","refTable":"kid"},"min":0,"max":"unlimited"}}}},
  "one":{"isRoot":true,"maxRows":1,"columns":{"x":{"type":"integer"}}},
  "two":{"isRoot":true,"maxRows":1,"columns":{"x":{"type":"integer"}}},
  "pair":{"isRoot":true,"indexes":[["a"],["b","c"]],"columns":{
    "a":{"type":"integer"},"b":{"type":"string"},"c":{"type":{"key":"integer","min":0,"max":3}},"z":{"type":"integer"}}},
  "must":{"isRoot":true,"columns":{"w":{"type":{"key":{"type":"uuid","refTable":"kid","refType":"weak"},"min":1,"max":2}}}}}})";

std::string insert(std::string_view table, int id, const std::string& row) {
  return R"({"op":"insert","table":")" + std::string(table) + R"(","uuid":")" + uuid(id) +
         R"(","row":{)" + row + "}}";
}
std::string update(std::string_view table, int id, const std::string& row) {
  return R"({"op":"update","table":")" + std::string(table) + R"(","where":[["_uuid","==",)" +
         ref(id) + R"(]],"row":{)" + row + "}}";
}
std::string remove(std::string_view table, int id) {
  return R"({"op":"delete","table":")" + std::string(table) + R"(","where":[["_uuid","==",)" +
         ref(id) + "]]}";
}
std::string kids(int id) { return R"("kids":)" + ref(id); }
std::string weak(int id) { return R"("weak":)" + ref(id); }

bool has(const Engine& engine, std::string_view table, int id) {
  const auto index = engine.database.schema()->find_table(table);
  return engine.database.find(*index, Uuid{0, static_cast<std::uint64_t>(id)}) != nullptr;
}

const std::string kNoError = "{";

bool failed(const std::string& details) { return !details.starts_with(kNoError); }

}  // namespace

TEST_CASE("a strong reference to a row that is not there is refused") {
  Engine engine(kSchema);
  CHECK(details_of_last(engine.transact(insert("root", 1, kids(9)))) ==
        "Table root column kids row " + uuid(1) + " references nonexistent row " + uuid(9) +
            " in table kid.");
  CHECK(details_of_last(
            engine.transact(insert("kid", 9, ""), insert("root", 1, kids(9)), remove("kid", 9))) ==
        "Table root column kids row " + uuid(1) + " references nonexistent row " + uuid(9) +
            " in table kid.");
}

TEST_CASE(
    "a row to which strong references remain cannot be deleted, and all of them are counted") {
  Engine engine(kSchema);
  engine.transact(
      insert("kid", 9, R"("next":)" + ref(9)),
      insert("root", 1,
             kids(9) + R"(,"named":["map",[["a",)" + ref(9) + R"(],["b",)" + ref(9) + "]]]"));
  CHECK(details_of_last(engine.transact(remove("kid", 9))) ==
        "cannot delete kid row " + uuid(9) + " because of 3 remaining reference(s)");
  CHECK(has(engine, "kid", 9));
}

TEST_CASE("a reference that is made to a row deleted in the same transaction remains") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 9, ""), insert("root", 1, kids(9)));
  CHECK(details_of_last(engine.transact(remove("kid", 9), update("root", 1, R"("kids":["set",[]])"),
                                        insert("root", 2, kids(9)))) ==
        "cannot delete kid row " + uuid(9) + " because of 1 remaining reference(s)");
}

TEST_CASE("a row may be deleted together with those that refer to it") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 9, ""), insert("root", 1, kids(9)));
  CHECK(engine.transact(remove("kid", 9), remove("root", 1)) == R"([{"count":1},{"count":1}])");
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE(
    "an inserted row that nothing refers to is dropped, a self-reference counting for nothing") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 8, ""), insert("kid", 9, R"("next":)" + ref(9)));
  CHECK(engine.outcome.commit == nullptr);
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE("garbage takes along what only it refers to") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 7, ""), insert("kid", 8, R"("next":)" + ref(7)),
                  insert("kid", 9, R"("next":)" + ref(8)), insert("root", 1, kids(9)));
  REQUIRE(engine.database.row_count() == 4);
  engine.transact(update("root", 1, R"("kids":["set",[]])"));
  CHECK(engine.database.row_count() == 1);
  CHECK(engine.outcome.commit->changes.size() == 4);
}

TEST_CASE("rows that refer to each other keep themselves") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 8, R"("next":)" + ref(9)), insert("kid", 9, R"("next":)" + ref(8)));
  CHECK(engine.database.row_count() == 2);
}

TEST_CASE("a table over its limit is refused, garbage not counted, deleted rows taken off") {
  Engine engine(kSchema);
  engine.transact(insert("one", 1, ""));
  CHECK(
      details_of_last(engine.transact(insert("one", 2, ""))) ==
      R"(transaction causes "one" table to contain 2 rows, greater than the schema-defined limit of 1 row(s))");
  CHECK_FALSE(failed(details_of_last(engine.transact(insert("one", 2, ""), remove("one", 1)))));
  CHECK(has(engine, "one", 2));
}

TEST_CASE("of several tables over their limits the one touched first is named") {
  Engine engine(kSchema);
  engine.transact(insert("one", 1, ""), insert("two", 2, ""));
  const auto named = [&](const std::string& first) {
    return details_of_last(engine.transact(first, insert("two", 4, ""), insert("one", 3, "")));
  };
  CHECK(named(update("root", 9, "")).find("\"two\"") != std::string::npos);
  CHECK(named(R"({"op":"mutate","table":"one","where":[],"mutations":[]})").find("\"one\"") !=
        std::string::npos);
}

TEST_CASE("references come before limits, limits before weak references, these before indexes") {
  Engine engine(kSchema);
  engine.transact(insert("one", 1, ""));
  const auto first = [&](auto... operations) {
    return details_of_last(engine.transact(operations...)).substr(0, 12);
  };
  const auto dangling = insert("root", 1, kids(9)), surplus = insert("one", 2, ""),
             zero = insert("must", 3, ""), a = insert("pair", 4, ""), b = insert("pair", 5, "");
  CHECK(first(a, b, zero, surplus, dangling) == "Table root c");
  CHECK(first(a, b, zero, surplus) == "transaction ");
  CHECK(first(a, b, zero) == "Weak referen");
  CHECK(first(a, b) == "Transaction ");
}

TEST_CASE("weak references to rows that are not there are removed, inserted ones too") {
  Engine engine(kSchema);
  engine.transact(
      insert("kid", 9, ""),
      insert("root", 1,
             kids(9) + R"(,"weak":["set",[)" + ref(8) + "," + ref(9) + R"(]],"pairs":["map",[[)" +
                 ref(9) + "," + ref(8) + "],[" + ref(7) + "," + ref(9) + "]]]"));
  CHECK(engine.record() == R"({"_date":7,"_is_diff":true,"kid":{")" + uuid(9) +
                               R"(":{}},"root":{")" + uuid(1) + R"(":{)" + kids(9) + "," + weak(9) +
                               "}}}");
}

TEST_CASE("a row whose new weak reference is removed at once has a new version, and nothing else") {
  Engine engine(kSchema);
  engine.transact(insert("root", 1, ""));
  engine.transact(update("root", 1, weak(9)));
  REQUIRE(engine.outcome.commit);
  CHECK_FALSE(engine.outcome.commit->persistent);
  REQUIRE(engine.outcome.commit->changes.size() == 1);
  const RowChange& change = engine.outcome.commit->changes.front();
  CHECK_FALSE(change.before->view(kVersionColumn) == change.after->view(kVersionColumn));
}

TEST_CASE("of several rows that are not there, the first is named") {
  Engine engine(kSchema);
  const std::string kids = R"("kids":["set",[)" + ref(9) + "," + ref(7) + "," + ref(8) + "]]";
  CHECK(details_of_last(engine.transact(insert("root", 1, kids))) ==
        "Table root column kids row " + uuid(1) + " references nonexistent row " + uuid(7) +
            " in table kid.");
}

TEST_CASE("a row's end removes the weak references to it, and only their rows change") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 9, ""), insert("root", 1, kids(9)), insert("root", 2, weak(9)),
                  insert("root", 3, ""));
  engine.transact(update("root", 1, R"("kids":["set",[]])"));
  CHECK(engine.record() == R"({"_date":7,"_is_diff":true,"kid":{")" + uuid(9) +
                               R"(":null},"root":{")" + uuid(1) + R"(":{)" + kids(9) + R"(},")" +
                               uuid(2) + R"(":{)" + weak(9) + "}}}");
}

TEST_CASE("a weak reference that an update kept goes with its row") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 8, ""), insert("kid", 9, ""),
                  insert("root", 1, R"("kids":["set",[)" + ref(8) + "," + ref(9) + "]]"),
                  insert("root", 2, weak(9)));
  engine.transact(update("root", 1, kids(8)),
                  update("root", 2, R"("weak":["set",[)" + ref(8) + "," + ref(9) + "]]"));
  CHECK(engine.transact(R"({"op":"select","table":"root","where":[["_uuid","==",)" + ref(2) +
                        R"(]],"columns":["weak"]})") == R"([{"rows":[{)" + weak(8) + "}]}]");
}

TEST_CASE("a column that loses its last weak reference but must have one is refused") {
  Engine engine(kSchema);
  engine.transact(insert("kid", 9, ""), insert("root", 1, kids(9)),
                  insert("must", 2, R"("w":)" + ref(9)));
  const std::string why =
      R"( caused this column to become empty, but constraints on this column disallow an empty column.)";
  const std::string what =
      R"(weak reference(s) to deleted (or never-existing) rows from column "w" in "must" row )";
  CHECK(details_of_last(engine.transact(remove("root", 1))) ==
        "Deletion of 1 " + what + uuid(2) + why);
  CHECK(details_of_last(
            engine.transact(insert("must", 3, R"("w":["set",[)" + ref(7) + "," + ref(8) + "]]"))) ==
        "Deletion of 2 " + what + uuid(3) + " (inserted within this transaction)" + why);
  CHECK(details_of_last(engine.transact(insert("must", 3, ""))) ==
        R"(Weak reference column "w" in "must" row )" + uuid(3) +
            " (inserted within this transaction) contained all-zeros UUID (probably as the default "
            "value for this column) but "
            "deleting this value caused a constraint volation because this column is not allowed "
            "to be empty.");
}

TEST_CASE("two rows with the same values in an index are refused, the greater one named first") {
  Engine engine(kSchema);
  engine.transact(insert("pair", 1, R"("a":1,"b":"x y","c":["set",[1,2]])"),
                  insert("pair", 2, R"("a":2)"));
  const std::string head =
      R"(Transaction causes multiple rows in "pair" table to have identical values )";
  const std::string existed =
      ", existed in the database before this transaction and was not modified by the transaction";
  CHECK(
      details_of_last(engine.transact(insert("pair", 3, R"("a":3,"b":"x y","c":["set",[1,2]])"))) ==
      head + R"~(("x y" and [1, 2]) for index on columns "b" and "c".  First row, with UUID )~" +
          uuid(3) + ", was inserted by this transaction.  Second row, with UUID " + uuid(1) +
          existed + ".");
  CHECK(details_of_last(engine.transact(update("pair", 1, R"("a":2)"))) ==
        head + R"((2) for index on column "a".  First row, with UUID )" + uuid(1) +
            ", had the following index values before the transaction: 1.  Second row, with UUID " +
            uuid(2) + existed + ".");
  CHECK(details_of_last(
            engine.transact(update("pair", 2, R"("z":5)"), update("pair", 1, R"("a":2)"))) ==
        head + R"((2) for index on column "a".  First row, with UUID )" + uuid(1) +
            ", had the following index values before the transaction: 1.  Second row, with UUID " +
            uuid(2) +
            ", existed in the database before this transaction, which modified some of the row's "
            "columns but not any columns in "
            "this index.");
}

TEST_CASE("rows may exchange values of an index, and take values that deleted rows had") {
  Engine engine(kSchema);
  engine.transact(insert("pair", 1, R"("a":1,"b":"x")"), insert("pair", 2, R"("a":2,"b":"y")"));
  engine.transact(update("pair", 1, R"("a":2)"), update("pair", 2, R"("a":1)"));
  CHECK(
      engine.transact(R"({"op":"select","table":"pair","where":[["a","==",1]],"columns":["b"]})") ==
      R"([{"rows":[{"b":"y"}]}])");
  CHECK_FALSE(
      failed(details_of_last(engine.transact(remove("pair", 1), update("pair", 2, R"("a":2)")))));
  CHECK(
      engine.transact(R"({"op":"select","table":"pair","where":[["a","==",2]],"columns":["b"]})") ==
      R"([{"rows":[{"b":"y"}]}])");
  CHECK(
      engine.transact(R"({"op":"select","table":"pair","where":[["a","==",1]],"columns":["b"]})") ==
      R"([{"rows":[]}])");
}

TEST_CASE("rows are found by an index among many that the transaction itself has changed") {
  Engine engine(kSchema);
  const auto set_a = [](int from, int to) {
    return R"({"op":"update","table":"pair","where":[["a","==",)" + std::to_string(from) +
           R"(]],"row":{"a":)" + std::to_string(to) + "}}";
  };
  std::string rows;
  for (int i = 1; i <= 100; ++i) {
    rows +=
        (i > 1 ? "," : "") +
        insert("pair", i, R"("a":)" + std::to_string(i) + R"(,"b":")" + std::to_string(i) + '"');
  }
  engine.transact(rows);
  // Each row takes the place of the next, again and again; some are deleted and come anew.
  std::string operations = set_a(100, 1000);
  for (int round = 0; round < 3; ++round) {
    for (int i = 99; i >= 1; --i) operations += ',' + set_a(i, i + 1);
    operations += ',' + set_a(100, 2000 + round);
  }
  operations += R"(,{"op":"delete","table":"pair","where":[["a","==",50]]})";
  operations += ',' + insert("pair", 200, R"("a":50,"b":"new")");
  operations += R"(,{"op":"update","table":"pair","where":[["a","==",50]],"row":{"z":7}})";
  operations += R"(,{"op":"select","table":"pair","where":[["a","==",50]],"columns":["b","z"]})";
  operations += R"(,{"op":"select","table":"pair","where":[["a","==",2]],"columns":["b"]})";
  operations += R"(,{"op":"select","table":"pair","where":[["a","==",1000]],"columns":["b"]})";
  const std::string result = engine.transact(operations);
  CHECK(result.find(R"({"rows":[{"b":"new","z":7}]})") != std::string::npos);
  CHECK(result.find(R"({"rows":[]},{"rows":[{"b":"100"}]}])") != std::string::npos);
}

TEST_CASE("a row that very many refer to weakly may go, and so may they, in any order") {
  Engine engine(kSchema);
  constexpr int kRows = 1500;
  std::string rows = insert("root", 1, R"("name":"keeper",)" + kids(2)) + ',' +
                     insert("kid", 2, R"("name":"hub")");
  for (int i = 10; i < 10 + kRows; ++i) rows += ',' + insert("root", i, weak(2));
  engine.transact(rows);
  // Some go one by one, from both ends; one refers anew.
  for (const int id : {10, 9 + kRows, 700}) engine.transact(remove("root", id));
  engine.transact(update("root", 11, R"("weak":["set",[]])"));
  engine.transact(update("root", 11, weak(2)));
  engine.transact(update("root", 1, R"("kids":["set",[]])"));
  CHECK_FALSE(has(engine, "kid", 2));
  CHECK(engine.contents().find("\"weak\"") == std::string::npos);
  CHECK(engine.database.table(*engine.database.schema()->find_table("kid"))
            .weak_referrers(*Uuid::parse(uuid(2))) == nullptr);
}

TEST_CASE("a large set of weak references loses those that died, in changed rows and in others") {
  Engine engine(kSchema);
  std::string keep = R"("kids":["set",[)";
  std::string all = R"("weak":["set",[)";
  std::string rows;
  for (int i = 100; i < 150; ++i) {
    rows += ',' + insert("kid", i, "");
    keep += (i > 100 ? "," : "") + ref(i);
    all += (i > 100 ? "," : "") + ref(i);
  }
  engine.transact(insert("root", 1, keep + "]]") + ',' + insert("root", 2, all + "]]") + ',' +
                  insert("root", 3,
                         all + R"(]],"pairs":["map",[[)" + ref(101) + ',' + ref(102) + "],[" +
                             ref(103) + ',' + ref(104) + "]]]") +
                  rows);
  engine.transact(R"({"op":"mutate","table":"root","where":[["_uuid","==",)" + ref(1) +
                      R"(]],"mutations":[["kids","delete",["set",[)" + ref(102) + ',' + ref(110) +
                      "]]]]}",
                  update("root", 3, R"("name":"changed")"));
  const std::string contents = engine.contents();
  CHECK_FALSE(has(engine, "kid", 102));
  CHECK(contents.find(uuid(102)) == std::string::npos);
  CHECK(contents.find(uuid(110)) == std::string::npos);
  CHECK(contents.find(R"("pairs":["map",[[)" + ref(103) + ',' + ref(104) + "]]]") !=
        std::string::npos);
}
