#include <random>

#include "engine.h"

// Sets and maps that are kept in pieces (protocol/datum_pieces.h), in transactions and records.

using namespace tandem;

namespace {

constexpr int kRows = 700;

constexpr std::string_view kSchema = R"({"name":"T","tables":{
  "root":{"isRoot":true,"columns":{
    "texts":{"type":{"key":"string","min":0,"max":"unlimited"}},
    "strong":{"type":{"key":{"type":"uuid","refTable":"kid"},"min":0,"max":"unlimited"}},
    "named":{"type":{"key":"string","value":{"type":"uuid","refTable":"kid"},"min":0,"max":"unlimited"}},
    "weak":{"type":{"key":{"type":"uuid","refTable":"kid","refType":"weak"},"min":0,"max":"unlimited"}},
    "pairs":{"type":{"key":"integer","value":{"type":"uuid","refTable":"kid","refType":"weak"},"min":0,"max":"unlimited"}}}},
  "kid":{"columns":{"n":{"type":"integer"}}}}})";

/// `element(i)` for all rows, between commas.
template <class Element>
std::string list(Element element) {
  std::string text;
  for (int i = 1; i <= kRows; ++i) text += (i > 1 ? "," : "") + element(i);
  return text;
}

std::string mutate(const std::string& column, const std::string& mutator,
                   const std::string& value) {
  return R"({"op":"mutate","table":"root","where":[],"mutations":[[")" + column + R"(",")" +
         mutator + "\"," + value + "]]}";
}

std::string named(int key, int kid) {
  return R"(["map",[["k)" + std::to_string(key) + "\"," + ref(kid) + "]]]";
}

/// A root that refers to all kids in each of its columns.
void fill(Engine& engine) {
  std::string kids = R"({"op":"comment","comment":""})";
  for (int i = 1; i <= kRows; ++i)
    kids += R"(,{"op":"insert","table":"kid","uuid":")" + uuid(i) + R"(","row":{}})";
  const std::string refs = R"(["set",[)" + list(ref) + "]]";
  const auto texts = [](int i) { return "\"t" + std::to_string(i) + "\""; };
  const auto pair = [](int i) { return "[" + std::to_string(i) + "," + ref(i) + "]"; };
  const auto name = [](int i) { return "[\"k" + std::to_string(i) + "\"," + ref(i) + "]"; };
  engine.transact(kids, R"({"op":"insert","table":"root","uuid":")" + uuid(9999) +
                            R"(","row":{"texts":["set",[)" + list(texts) + R"(]],"strong":)" +
                            refs + R"(,"weak":)" + refs + R"(,"named":["map",[)" + list(name) +
                            R"(]],"pairs":["map",[)" + list(pair) + "]]}}");
}

std::size_t size_of(const Engine& engine, std::string_view column) {
  const auto table = *engine.database.schema()->find_table("root");
  const auto row = engine.database.find(table, Uuid{0, 9999});
  return row->view(*engine.database.table(table).schema().find_column(column)).size();
}

bool has_kid(const Engine& engine, int id) {
  return engine.database.find(*engine.database.schema()->find_table("kid"),
                              Uuid{0, static_cast<std::uint64_t>(id)}) != nullptr;
}

}  // namespace

TEST_CASE("a row lives while one of two large columns refers to it, and its end is felt in all") {
  Engine engine(kSchema);
  fill(engine);
  REQUIRE(size_of(engine, "weak") == kRows);
  engine.transact(mutate("strong", "delete", ref(300)));
  CHECK(has_kid(engine, 300));
  engine.transact(mutate("named", "delete", named(300, 300)));
  CHECK_FALSE(has_kid(engine, 300));
  CHECK(size_of(engine, "weak") == kRows - 1);
  CHECK(size_of(engine, "pairs") == kRows - 1);
  CHECK(size_of(engine, "strong") == kRows - 1);
}

TEST_CASE("a map's pair that gets another row as its value lets the first one go") {
  Engine engine(kSchema);
  fill(engine);
  engine.transact(mutate("strong", "delete", ref(5)));
  engine.transact(mutate("named", "delete", R"("k5")"), mutate("named", "insert", named(5, 6)));
  CHECK_FALSE(has_kid(engine, 5));
  CHECK(engine.record() == R"({"_date":7,"_is_diff":true,"kid":{")" + uuid(5) +
                               R"(":null},"root":{")" + uuid(9999) + R"(":{"named":)" +
                               named(5, 6) + R"(,"pairs":["map",[[5,)" + ref(5) + R"(]]],"weak":)" +
                               ref(5) + "}}}");
  engine.transact(mutate("strong", "delete", ref(6)));
  CHECK(has_kid(engine, 6));
  engine.transact(mutate("named", "delete", R"(["set",["k5","k6"]])"));
  CHECK_FALSE(has_kid(engine, 6));
}

TEST_CASE("a reference to a row that is not there is found among many") {
  Engine engine(kSchema);
  fill(engine);
  CHECK(details_of_last(engine.transact(mutate("named", "insert", named(800, 800)))) ==
        "Table root column named row " + uuid(9999) + " references nonexistent row " + uuid(800) +
            " in table kid.");
  engine.transact(mutate("weak", "insert", ref(800)));
  CHECK(size_of(engine, "weak") == kRows);
}

TEST_CASE("changes of large columns are written as differences that replay makes again") {
  Engine engine(kSchema);
  fill(engine);
  Engine replica(kSchema);
  REQUIRE(replica.replay(engine.record()));
  std::mt19937 random(3);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int i = 0; i < 300; ++i) {
    const int n = 1 + pick(kRows);
    const std::string text = "\"" + std::string(1, "tu"[pick(2)]) + std::to_string(n) + "\"";
    const std::string mutator = pick(2) == 0 ? "insert" : "delete";
    engine.transact(mutate("texts", mutator, text),
                    mutate(pick(2) == 0 ? "strong" : "weak", mutator, ref(n)),
                    mutate("named", mutator, named(pick(900), n)));
    if (!engine.outcome.commit) continue;
    REQUIRE(engine.record().size() < 1000);
    REQUIRE(replica.replay(engine.record()));
  }
  CHECK(replica.contents() == engine.contents());
  CHECK(usage_of(replica.database.snapshot()).weak_refs ==
        usage_of(engine.database.snapshot()).weak_refs);
}
