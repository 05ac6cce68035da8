#include "engine.h"

using namespace tandem;

namespace {

constexpr std::string_view kSchema = R"({"name":"T","tables":{
  "item":{"indexes":[["name"]],"columns":{
    "name":{"type":"string"},"n":{"type":"integer"},
    "tags":{"type":{"key":"string","min":0,"max":3}},
    "seen":{"type":"integer","ephemeral":true}}}}})";

std::string insert(int id, std::string_view row) {
  return R"({"op":"insert","table":"item","uuid":")" + uuid(id) + R"(","row":)" + std::string(row) +
         "}";
}

constexpr std::string_view kDeleteAll = R"({"op":"delete","table":"item","where":[]})";

std::string select(std::string_view where, std::string_view columns) {
  return R"({"op":"select","table":"item","where":)" + std::string(where) + R"(,"columns":)" +
         std::string(columns) + "}";
}

std::string version_of(Engine& engine) { return engine.transact(select("[]", R"(["_version"])")); }

}  // namespace

TEST_CASE("an inserted row has the given columns and defaults elsewhere") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"));
  CHECK(engine.transact(select("[]", R"(["name","n","tags"])")) ==
        R"([{"rows":[{"n":0,"name":"a","tags":["set",[]]}]}])");
}

TEST_CASE("a select sees the transaction's own changes, through the index too") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"));
  const auto result = engine.transact(
      R"({"op":"update","table":"item","where":[["name","==","a"]],"row":{"name":"b"}})",
      select(R"([["name","==","a"]])", R"(["_uuid"])"),
      select(R"([["name","==","b"]])", R"(["name"])"), kDeleteAll,
      select(R"([["name","==","b"]])", R"(["name"])"));
  CHECK(result == R"([{"count":1},{"rows":[]},{"rows":[{"name":"b"}]},{"count":1},{"rows":[]}])");
}

TEST_CASE("what a select saw stays as it was when later operations write on the row") {
  Engine engine(kSchema);
  const auto result =
      engine.transact(insert(1, R"({"name":"a"})"), select("[]", R"(["name"])"),
                      R"({"op":"update","table":"item","where":[],"row":{"name":"b"}})");
  CHECK(result == R"([{"uuid":)" + ref(1) + R"(},{"rows":[{"name":"a"}]},{"count":1}])");
}

TEST_CASE(
    "many selects of all rows hold no rows of tables that are as they were, and show the same") {
  Engine engine(kSchema);
  std::string rows;
  for (int i = 1; i <= 400; ++i)
    rows += (i > 1 ? "," : "") + insert(i, R"({"name":"n)" + std::to_string(i) + R"("})");
  engine.transact(rows);
  const std::string all = select("[]", R"(["name","n"])");
  const std::string some = select(R"([["name","!=","n7"],["n","==",0]])", R"(["_uuid"])");
  std::string many = all + ',' + some;
  for (int i = 0; i < 200; ++i) many += ',' + all + ',' + some;
  const std::string change = insert(1000, R"({"name":"new"})");
  const JsonDocument text = parse_json(engine.transact(many, change, all, some)).value();
  const JsonView result = text;
  REQUIRE(result.size() == 405);
  std::size_t held = 0;
  std::size_t later = 0;
  for (const OperationResult& each : engine.outcome.result.results) {
    const auto* found = std::get_if<RowsResult>(&each);
    if (found == nullptr) continue;
    held += found->rows.size();
    later += found->more != nullptr;
  }
  CHECK(later > 300);
  CHECK(held < 40'000);
  CHECK(engine.outcome.result.rows() == held + 400 * later);
  // Nothing of what is changed later is seen, and all of what was changed before.
  for (std::size_t i = 0; i < 402; ++i) REQUIRE(to_text(result[i]) == to_text(result[i % 2]));
  const auto count = [&](std::size_t i) { return result[i].find("rows").size(); };
  CHECK(count(0) == 400);
  CHECK(count(1) == 399);
  CHECK(count(403) == 401);
  CHECK(count(404) == 400);
}

TEST_CASE("the version changes only with the row") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a","n":1})"));
  const auto before = version_of(engine);
  CHECK(engine.transact(R"({"op":"update","table":"item","where":[],"row":{"n":1}})") ==
        R"([{"count":1}])");
  CHECK(engine.outcome.commit == nullptr);
  CHECK(version_of(engine) == before);
  engine.transact(R"({"op":"update","table":"item","where":[],"row":{"n":2}})");
  CHECK(version_of(engine) != before);
}

TEST_CASE("a row that ends as it began is not changed") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a","n":1})"));
  engine.transact(R"({"op":"mutate","table":"item","where":[],"mutations":[["n","+=",1]]})",
                  R"({"op":"mutate","table":"item","where":[],"mutations":[["n","-=",1]]})");
  CHECK(engine.outcome.commit == nullptr);
}

TEST_CASE("a row inserted and deleted in one transaction leaves no trace") {
  Engine engine(kSchema);
  CHECK(engine.transact(insert(1, R"({"name":"a"})"), kDeleteAll) ==
        R"([{"uuid":)" + ref(1) + R"(},{"count":1}])");
  CHECK(engine.outcome.commit == nullptr);
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE("a change of ephemeral columns only is a commit that is not persistent") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"));
  engine.transact(R"({"op":"update","table":"item","where":[],"row":{"seen":5}})");
  REQUIRE(engine.outcome.commit);
  CHECK_FALSE(engine.outcome.commit->persistent);
}

TEST_CASE("an operation that fails takes back those before it, and later ones are null") {
  Engine engine(kSchema);
  const auto result =
      engine.transact(insert(1, R"({"name":"a"})"), R"({"op":"abort"})", kDeleteAll);
  CHECK(result ==
        R"([{"uuid":)" + ref(1) + R"(},{"details":"aborted by request","error":"aborted"},null])");
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE("an operation that cannot be read is reported in its place") {
  Engine engine(kSchema);
  const auto result =
      engine.transact(insert(1, R"({"name":"a"})"), R"({"op":"nonsense"})", kDeleteAll);
  CHECK(result ==
        R"([{"uuid":)" + ref(1) +
            R"(},{"details":"Parsing ovsdb operation 2 of 3 failed: No operation \"nonsense\"",)"
            R"("error":"syntax error","syntax":"{\"op\":\"nonsense\"}"},null])");
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE("an error of the commit follows the results of all operations") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"));
  const auto result = parse_json(
      engine.transact(insert(2, R"({"name":"a"})"), R"({"op":"comment","comment":"x"})"));
  REQUIRE(result->root().size() == 3);
  CHECK(result->root()[2].find("error").get_string() == "constraint violation");
}

TEST_CASE("a UUID that exists, or was deleted in the transaction, cannot be requested") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"));
  const std::string expected =
      R"(This UUID would duplicate a UUID already present within the "item" table or deleted from this table within the same transaction.)";
  CHECK(details_of_last(engine.transact(insert(1, R"({"name":"b"})"))) == expected);
  CHECK(details_of_last(engine.transact(kDeleteAll, insert(1, R"({"name":"b"})"))) == expected);
}

TEST_CASE("a bad member of an insert goes before a UUID that exists") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"));
  const std::string result = engine.transact(insert(1, R"({"name":"b"},"x":1)"));
  CHECK(details_of_last(result) ==
        "Parsing ovsdb operation 1 of 1 failed: Member 'x' is present but not allowed here.");
  CHECK(details_of_last(engine.transact(insert(1, R"({"zz":1})"))).starts_with("This UUID"));
}

TEST_CASE("a UUID that the transaction inserted and deleted can be requested again") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"), kDeleteAll, insert(1, R"({"name":"b"})"));
  CHECK(engine.transact(select("[]", R"(["name"])")) == R"([{"rows":[{"name":"b"}]}])");
}

TEST_CASE("mutations count rows even without any mutation") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a"})"), insert(2, R"({"name":"b"})"));
  CHECK(engine.transact(R"({"op":"mutate","table":"item","where":[],"mutations":[]})") ==
        R"([{"count":2}])");
  CHECK(engine.outcome.commit == nullptr);
}

TEST_CASE("the size of a set is checked after each mutation") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a","tags":["set",["x","y","z"]]})"));
  CHECK(
      details_of_last(engine.transact(
          R"({"op":"mutate","table":"item","where":[],"mutations":[["tags","insert","w"],["tags","delete","x"]]})")) ==
      "Attempted to store 4 elements in set of up to 3 strings.");
  CHECK(
      engine.transact(
          R"({"op":"mutate","table":"item","where":[],"mutations":[["tags","delete","x"],["tags","insert","w"]]})") ==
      R"([{"count":1}])");
}

TEST_CASE("a read-only server refuses what writes, after the operation's own errors") {
  Engine engine(kSchema);
  engine.context.read_only = true;
  CHECK(
      engine.transact(insert(1, R"({"name":"a"})")) ==
      R"([{"details":"insert operation not allowed when database server is in read only mode","error":"not allowed"}])");
  CHECK(details_of_last(engine.transact(kDeleteAll)) ==
        "delete operation not allowed when database server is in read only mode");
  CHECK(details_of_last(engine.transact(R"({"op":"commit","durable":false})")) ==
        "commit operation not allowed when database server is in read only mode");
  CHECK(details_of_last(engine.transact(R"({"op":"insert","table":"item","row":{"x":1}})")) ==
        "No column x in table item.");
  CHECK(engine.transact(select("[]", R"(["name"])"), R"({"op":"comment","comment":"x"})") ==
        R"([{"rows":[]},{}])");
  CHECK(engine.database.row_count() == 0);
}

TEST_CASE("a wait compares sets of rows") {
  Engine engine(kSchema);
  engine.transact(insert(1, R"({"name":"a","n":7})"), insert(2, R"({"name":"b","n":7})"),
                  insert(3, R"({"name":"c","n":8})"));
  const auto wait = [&](std::string_view until, std::string_view rows) {
    return details_of_last(engine.transact(
        R"({"op":"wait","timeout":0,"table":"item","where":[],"columns":["n"],"until":")" +
        std::string(until) + R"(","rows":)" + std::string(rows) + "}"));
  };
  CHECK(wait("==", R"([{"n":8},{"n":7}])") == "{}");
  CHECK(wait("==", R"([{"n":8},{"n":7},{"n":7}])") == "{}");
  CHECK(wait("==", R"([{"n":7}])") == R"("where" clause test failed)");
  CHECK(wait("==", R"([{"n":8},{"n":7},{"n":9}])") == R"("where" clause test failed)");
  CHECK(wait("!=", R"([{"n":7}])") == "{}");
  CHECK(wait("!=", R"([{"n":8},{"n":7}])") == R"("where" clause test failed)");
}

TEST_CASE("a wait that may still come true blocks the transaction without a trace") {
  Engine engine(kSchema);
  const auto transaction = [&] {
    return engine.transact(
        insert(1, R"({"name":"a"})"),
        R"({"op":"wait","timeout":50,"table":"item","where":[],"columns":["n"],"until":"==","rows":[]})");
  };
  transaction();
  CHECK(engine.outcome.blocked);
  CHECK(engine.outcome.timeout_ms == 50);
  CHECK(engine.database.row_count() == 0);
  engine.context.waited_ms = 51;
  CHECK(details_of_last(transaction()) == R"("wait" timed out after 51 ms)");
  CHECK_FALSE(engine.outcome.blocked);
}

TEST_CASE("a wait without a timeout blocks for ever") {
  Engine engine(kSchema);
  engine.context.waited_ms = 1'000'000;
  engine.transact(
      R"({"op":"wait","table":"item","where":[],"columns":["n"],"until":"!=","rows":[]})");
  CHECK(engine.outcome.blocked);
  CHECK_FALSE(engine.outcome.timeout_ms);
}

TEST_CASE("an assert wants the lock") {
  Engine engine(kSchema);
  CHECK(engine.transact(R"({"op":"assert","lock":"l"})") ==
        R"([{"details":"Asserted lock l not held.","error":"not owner"}])");
  engine.context.owns_lock = [](std::string_view lock) { return lock == "l"; };
  CHECK(engine.transact(R"({"op":"assert","lock":"l"})") == "[{}]");
}

TEST_CASE("comments are joined by newlines, and without a change nothing is recorded") {
  Engine engine(kSchema);
  engine.transact(R"({"op":"comment","comment":"a"})", R"({"op":"comment","comment":"b"})",
                  insert(1, "{}"));
  REQUIRE(engine.outcome.commit);
  CHECK(engine.outcome.commit->comment == "a\nb");
  engine.transact(R"({"op":"comment","comment":"a"})");
  CHECK(engine.outcome.commit == nullptr);
}

TEST_CASE("durability is reported even when nothing changed") {
  Engine engine(kSchema);
  engine.transact(R"({"op":"commit","durable":true})");
  CHECK(engine.outcome.durable);
  CHECK(engine.outcome.commit == nullptr);
}

TEST_CASE("named UUIDs lead to rows within the transaction") {
  Engine engine(kSchema);
  const auto result = engine.transact(
      R"({"op":"insert","table":"item","uuid-name":"x","row":{"name":"a"}})",
      R"({"op":"update","table":"item","where":[["_uuid","==",["named-uuid","x"]]],"row":{"n":5}})",
      R"({"op":"delete","table":"item","where":[["_uuid","==",["named-uuid","nobody"]]]})",
      select(R"([["_uuid","==",["named-uuid","x"]]])", R"(["n"])"));
  CHECK(result.substr(result.find(R"({"count")")) ==
        R"({"count":1},{"count":0},{"rows":[{"n":5}]}])");
}
