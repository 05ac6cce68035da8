#include "server/database/record_codec.h"

#include "engine.h"

using namespace tandem;

namespace {

constexpr std::string_view kSchema = R"({"name":"T","tables":{
  "item":{"columns":{
    "name":{"type":"string"},"n":{"type":"integer"},"r":{"type":"real"},"b":{"type":"boolean"},
    "tags":{"type":{"key":"string","min":0,"max":3}},
    "opt":{"type":{"key":"integer","min":0,"max":1}},
    "map":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}},
    "seen":{"type":"integer","ephemeral":true}}},
  "one":{"columns":{"x":{"type":"integer"}}}}})";

std::string item(const std::string& row) { return R"({"item":{")" + uuid(1) + "\":" + row + "}}"; }
std::string diff_of(const std::string& row) {
  return R"({"_is_diff":true,"item":{")" + uuid(1) + "\":" + row + "}}";
}
std::string update(const std::string& row) {
  return R"({"op":"update","table":"item","where":[],"row":)" + row + "}";
}

std::string replay_error(std::string_view body) {
  Engine engine(kSchema);
  const auto replayed = engine.replay(body);
  return replayed ? "" : replayed.error().to_string();
}

std::string contents_after(std::initializer_list<std::string> records) {
  Engine engine(kSchema);
  for (const std::string& record : records) {
    const auto replayed = engine.replay(record);
    INFO((replayed ? "" : replayed.error().to_string()));
    REQUIRE(replayed.has_value());
  }
  return engine.contents();
}

std::string expected(const std::string& row) {
  return R"({"_date":7,"_is_diff":true,"item":{")" + uuid(1) + "\":" + row + "}}";
}

}  // namespace

TEST_CASE("a record leaves out defaults of new rows, and ephemeral columns always") {
  Engine engine(kSchema);
  engine.transact(R"({"op":"insert","table":"item","uuid":")" + uuid(1) +
                      R"(","row":{"name":"a","n":0,"seen":4}})",
                  R"({"op":"comment","comment":"why \"so\""})");
  CHECK(engine.record() == R"({"_date":7,"_comment":"why \"so\"","_is_diff":true,"item":{")" +
                               uuid(1) + R"(":{"name":"a"}}})");
  engine.transact(update(R"({"seen":5,"n":2})"));
  CHECK(engine.record() == expected(R"({"n":2})"));
}

TEST_CASE("sets and maps of changed rows are written as differences, or whole") {
  Engine engine(kSchema);
  engine.transact(R"({"op":"insert","table":"item","uuid":")" + uuid(1) +
                  R"(","row":{"tags":["set",["a","b"]],"opt":1,"map":["map",[["k",1],["l",2]]]}})");
  engine.transact(update(R"({"tags":["set",["b","c"]],"opt":2,"map":["map",[["k",5],["m",6]]]})"));
  CHECK(engine.record() ==
        expected(R"({"map":["map",[["k",5],["l",2],["m",6]]],"opt":2,"tags":["set",["a","c"]]})"));
  CHECK(engine.record(ColumnForm::kWhole) ==
        R"({"_date":7,"item":{")" + uuid(1) +
            R"(":{"map":["map",[["k",5],["m",6]]],"opt":2,"tags":["set",["b","c"]]}}})");
}

TEST_CASE("what is written is read back as the same changes") {
  Engine writer(kSchema);
  Engine reader(kSchema);
  const std::string where = R"({"op":"insert","table":"item","uuid":")" + uuid(1) + R"(","row":)";
  for (
      const std::string& operation :
      {where +
           R"({"name":"tab\there \\ \"quoted\" \u00e9 /","n":-5,"r":1.5,"b":true,"tags":["set",["x","y"]],"opt":3}})",
       update(R"({"tags":["set",["y","z","a"]],"map":["map",[["k",1],["l",2]]],"opt":["set",[]]})"),
       update(R"({"map":["map",[["k",7],["m",8]]],"tags":["set",[]],"r":0.30000000000000004})"),
       std::string(R"({"op":"delete","table":"item","where":[]})")}) {
    writer.transact(operation);
    REQUIRE(reader.replay(writer.record()).has_value());
    CHECK(reader.contents() == writer.contents());
  }
}

TEST_CASE("a record's head is read wherever it stands") {
  Engine engine(kSchema);
  const auto decoded = decode_record(
      engine.database, R"({ "item" : { } , "_comment":"a\nb", "_date" : 12 , "_is_diff":false})");
  REQUIRE(decoded.has_value());
  CHECK(decoded->comment == "a\nb");
  CHECK(decoded->date_ms == 12);
  CHECK(contents_after(
            {item(R"({"tags":["set",["a","b"]]})"),
             R"({"item":{")" + uuid(1) + R"(":{"tags":["set",["b","c"]]}},"_is_diff":true})"}) ==
        expected(R"({"tags":["set",["a","c"]]})"));
}

TEST_CASE("a word of a record's head ends at any white space") {
  for (const char* space : {" ", "\t", "\r", "\n"}) {
    CHECK(contents_after({item(R"({"tags":["set",["a","b"]]})"),
                          R"({"item":{")" + uuid(1) + R"(":{"tags":"b"}},"_is_diff":true)" + space +
                              R"(,"_date":7)" + space + "}"}) == expected(R"({"tags":"a"})"));
  }
}

TEST_CASE("the names in a record may have escapes") {
  std::string id = uuid(1);
  REQUIRE(id[0] == '0');
  id.replace(0, 1, "\\u0030");
  CHECK(contents_after({item(R"({"tags":["set",["a","b"]]})"), R"({"it\u0065m":{")" + id +
                                                                   R"(":{"t\u0061gs":"b"}},)"
                                                                   R"("\u005fis_diff":true})"}) ==
        expected(R"({"tags":"a"})"));
  CHECK(replay_error(R"({"it\qem":{}})") != "");
  CHECK(replay_error(R"({"ite\u006e":{}})") ==
        "syntax \"{\"iten\":{}}\": unknown table: No table named iten.");
}

TEST_CASE("records without differences replace whole columns") {
  CHECK(contents_after(
            {item(R"({"tags":["set",["a","b"]],"n":1})"), item(R"({"tags":["set",["b","c"]]})")}) ==
        expected(R"({"n":1,"tags":["set",["b","c"]]})"));
}

TEST_CASE("a difference may have more elements than the column") {
  CHECK(contents_after({item(R"({"tags":["set",["a","b","c"]]})"),
                        diff_of(R"({"tags":["set",["a","b","c","d","e","f"]]})")}) ==
        expected(R"({"tags":["set",["d","e","f"]]})"));
  Engine engine(kSchema);
  REQUIRE(engine.replay(item(R"({"tags":["set",["a","b","c"]]})")).has_value());
  const auto replayed = engine.replay(diff_of(R"({"tags":"d"})"));
  REQUIRE_FALSE(replayed.has_value());
  CHECK(replayed.error().to_string() == "ovsdb error: Datum crated by diff has size error");
}

TEST_CASE("a row that stands twice in a record counts as it stands last") {
  CHECK(contents_after({R"({"item":{")" + uuid(1) + R"(":{"n":1},")" + uuid(1) +
                        R"(":{"n":2}}})"}) == expected(R"({"n":2})"));
}

TEST_CASE("whatever stands twice in a record counts as it stands last") {
  const std::string row = '"' + uuid(1) + "\":";
  struct Case {
    const char* what;
    std::string record;
    std::string row;  // what it comes to after {"n":1}; empty: gone
  };
  const Case cases[] = {
      {"a table", R"({"item":{)" + row + R"({"n":2}},"item":{)" + row + R"({"n":3}}})",
       R"({"n":3})"},
      {"a table, the row gone", R"({"item":{)" + row + R"(null},"item":{)" + row + "null}}", ""},
      {"a table, the last one empty", R"({"item":{)" + row + R"(null},"item":{}})", R"({"n":1})"},
      {"a row, first gone", R"({"item":{)" + row + "null," + row + R"({"n":2}}})", R"({"n":2})"},
      {"a row, gone twice", R"({"item":{)" + row + "null," + row + "null}}", ""},
      {"a row, last as it was", R"({"item":{)" + row + R"({"n":2},)" + row + R"({"n":1}}})",
       R"({"n":1})"},
      {"a column", item(R"({"n":2,"n":3})"), R"({"n":3})"},
      {"a column, last as it was", item(R"({"n":2,"n":1})"), R"({"n":1})"},
      {"a comment", R"({"_comment":"a","_comment":5,"item":{)" + row + R"({"n":2}}})",
       R"({"n":2})"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    const std::string nothing = R"({"_date":7,"_is_diff":true})";
    CHECK(contents_after({item(R"({"n":1})"), c.record}) ==
          (c.row.empty() ? nothing : expected(c.row)));
  }
}

TEST_CASE("a UUID in capital letters is the same row") {
  const std::string lower = "abcdef00-0000-4000-8000-000000000001";
  const std::string upper = "ABCDEF00-0000-4000-8000-000000000001";
  CHECK(contents_after({R"({"item":{")" + lower + R"(":{"n":1}}})",
                        R"({"item":{")" + lower + R"(":null,")" + upper + R"(":null}})"}) ==
        R"({"_date":7,"_is_diff":true})");
}

TEST_CASE("a record that deletes a row which it also inserts, last, is wrong") {
  const std::string row = '"' + uuid(1) + "\":";
  CHECK(replay_error(R"({"item":{)" + row + R"({"n":2},)" + row + "null}}") ==
        "syntax error: transaction deletes row " + uuid(1) + " that does not exist");
}

TEST_CASE("a record that changes nothing makes no change") {
  Engine engine(kSchema);
  REQUIRE(engine.replay(item(R"({"n":1})")).has_value());
  CHECK(decode_record(engine.database, item(R"({"n":1})"))->changes.empty());
}

TEST_CASE("changes of a record stand in order of tables") {
  Engine engine(kSchema);
  const auto decoded = decode_record(
      engine.database, R"({"one":{")" + uuid(2) + R"(":{}},"item":{")" + uuid(1) + R"(":{}}})");
  REQUIRE(decoded.has_value());
  REQUIRE(decoded->changes.size() == 2);
  CHECK(decoded->changes[0].table < decoded->changes[1].table);
}

TEST_CASE("errors in records read as ovsdb-server words them") {
  CHECK(replay_error(R"({"invalid":{}})") ==
        R"(syntax "{"invalid":{}}": unknown table: No table named invalid.)");
  CHECK(replay_error(R"({"one":{")" + uuid(1) + R"(":{"zz":5}}})") ==
        R"(syntax "{"zz":5}": unknown column: No column zz in table one.)");
  CHECK(replay_error(R"({"one":{")" + uuid(1) + R"(":{"x":"a"}}})") ==
        R"(syntax ""a"": syntax error: expected integer)");
  CHECK(replay_error(R"({"one":{"abc":{"x":5}}})") ==
        R"(syntax "{"abc":{"x":5}}": syntax error: "abc" is not a valid UUID)");
  CHECK(replay_error(R"({"one":{")" + uuid(1) + R"(":null}})") ==
        "syntax error: transaction deletes row " + uuid(1) + " that does not exist");
  CHECK(replay_error(R"({"one":{")" + uuid(1) + R"(":5}})") ==
        R"(syntax "5": syntax error: row must be JSON object)");
  CHECK(replay_error(R"({"one":5})") == R"(syntax "5": syntax error: object expected)");
  CHECK(replay_error(R"({"_is_diff":5,"one":{}})") ==
        R"(syntax "{"_is_diff":5,"one":{}}": unknown table: No table named _is_diff.)");
  CHECK(
      replay_error(item(R"({"tags":["set",["a","b","c","d"]]})")) ==
      R"(syntax "["set",["a","b","c","d"]]": syntax error: set must have 0 to 3 members but 4 are present)");
}

TEST_CASE("what is no JSON is an error") {
  for (const char* text : {"", "[]", "{", R"({"one":)", R"({"one":{})", R"({"one":{}} x)",
                           R"({"one":{]})", R"({"one":{"a)", R"({"_comment":xyz,"one":{}})",
                           R"({"_comment":[},"one":{}})", "{\"_comment\":\"a\nb\",\"one\":{}}"}) {
    INFO(text);
    CHECK(replay_error(text) != "");
  }
}

TEST_CASE("numbers that are no JSON are errors in records, too") {
  for (const char* row : {R"({"n":007})", R"({"n":-01})", R"({"r":.5})", R"({"r":5.})",
                          R"({"r":5.e1})", R"({"r":00.5})", R"({"n":+5})"}) {
    INFO(row);
    CHECK(replay_error(item(row)) != "");
  }
  for (const char* row : {R"({"n":0})", R"({"n":-7})", R"({"r":0.5})", R"({"r":-0.5e-3})",
                          R"({"r":5e1})", R"({"n":70e1})"}) {
    INFO(row);
    CHECK(replay_error(item(row)) == "");
  }
}

TEST_CASE("a snapshot is one record, in pieces, that makes an empty database equal") {
  Engine engine(kSchema);
  CHECK(engine.contents() == R"({"_date":7,"_is_diff":true})");
  for (int i = 1; i <= 1000; i++) {
    engine.transact(R"({"op":"insert","table":"item","row":{"name":"row )" + std::string(500, 'x') +
                        R"(","n":)" + std::to_string(i) + "}}",
                    R"({"op":"insert","table":"one","row":{"x":)" + std::to_string(i) + "}}");
  }
  const std::string text = engine.contents();
  SnapshotRecord record(engine.database.snapshot(), "", 7);
  CHECK(record.next().size() < text.size());
  Engine copy(kSchema);
  REQUIRE(copy.replay(text).has_value());
  CHECK(copy.contents() == text);
}
