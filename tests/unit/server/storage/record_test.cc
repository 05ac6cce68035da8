#include "server/storage/record.h"

#include <catch2/catch.hpp>

#include "server/storage/sha1.h"

using namespace tandem;
using namespace tandem::storage;

TEST_CASE("A prepared record is what ovsdb-tool writes for the same text") {
  const std::string body =
      R"({"name":"T","version":"1.0.0","tables":{"A":{"columns":{"name":{"type":"string"},"n":{"type":"integer"}}}}})";
  const PreparedRecord record = prepare_record(body);
  CHECK(record.header == "OVSDB JSON 108 3cef36010da5299189a54e3e36af01710fcd3800\n");
  CHECK(to_hex(record.sha1) == "3cef36010da5299189a54e3e36af01710fcd3800");
  CHECK(record.size() == record.header.size() + 108);
}

TEST_CASE("A header line is read back") {
  const auto header = parse_header("OVSDB JSON 108 3cef36010da5299189a54e3e36af01710fcd3800");
  REQUIRE(header);
  CHECK(header->magic == "JSON");
  CHECK(header->length == 108);
  CHECK(to_hex(header->sha1) == "3cef36010da5299189a54e3e36af01710fcd3800");
}

TEST_CASE("A header may have zeros before its length, upper-case digits and another magic") {
  const auto header = parse_header("OVSDB CLUSTER 000108 3CEF36010DA5299189A54E3E36AF01710FCD3800");
  REQUIRE(header);
  CHECK(header->magic == "CLUSTER");
  CHECK(header->length == 108);
  CHECK(to_hex(header->sha1) == "3cef36010da5299189a54e3e36af01710fcd3800");
}

TEST_CASE("A line that is no header is refused") {
  const std::string sha1(40, 'a');
  for (const std::string& line : {std::string(),
                                  std::string("xxx"),
                                  std::string("OVSDB"),
                                  std::string("OVSDB "),
                                  std::string("OVSDB JSON"),
                                  std::string("OVSDB JSON "),
                                  std::string("OVSDB JSON 5"),
                                  "OVSDB JSON 0 " + sha1,
                                  "OVSDB JSON -1 " + sha1,
                                  "OVSDB JSON +1 " + sha1,
                                  "OVSDB JSON  1 " + sha1,
                                  "OVSDB  JSON 1 " + sha1,
                                  "OVSDB JSON 1x " + sha1,
                                  "OVSDB JSON 9223372036854775808 " + sha1,
                                  "OVSDB JSON 99999999999999999999 " + sha1,
                                  "OVSDB JSON 1 " + sha1 + " ",
                                  "OVSDB JSON 1 " + sha1 + "a",
                                  "OVSDB JSON 1 " + sha1.substr(1),
                                  "OVSDB JSON 1 g" + sha1.substr(1),
                                  "ovsdb JSON 1 " + sha1}) {
    INFO(line);
    CHECK(!parse_header(line));
  }
}

TEST_CASE("A bad header line is shown as ovsdb-server shows it") {
  const auto shown = [](std::string_view line) { return bad_header("db", 334, line).to_string(); };
  const std::string start = "syntax error: db: parse error at offset 334 in header line ";
  CHECK(shown("xxx") == start + "\"xxx\"");
  CHECK(shown("") == start + "\"\"");
  CHECK(shown("a b c d") == start + "\"a b c d\"");
  CHECK(shown("OVSDB JSON zz yy") == start + "\"OVSDB JSON\"");
  CHECK(shown("OVSDB JSON") == start + "\"OVSDB JSON\"");
  CHECK(shown("OVSDB  JSON 5 x") == start + "\"OVSDB \"");
  CHECK(shown(std::string_view("abc\0def", 7)) == start + "\"abc\"");
}

TEST_CASE("Errors of a body name its place as ovsdb-server does") {
  const auto error_of = [](std::string_view body) {
    return Record{"db", 1, 334, 388, body, {}}.object().error().to_string();
  };
  CHECK(error_of("[1]\n") ==
        "syntax error: db: 4 bytes starting at offset 388 are not a JSON object");
  CHECK(error_of("{\n") ==
        "syntax error: db: 2 bytes starting at offset 388 are not valid JSON "
        "(line 1, column 0, byte 2: unexpected end of input)");
  CHECK(Record{"db", 1, 334, 388, "{\"a\":1}\n", {}}.object()->root().size() == 1);
}

TEST_CASE("The comment of a record is found at the top and nowhere else") {
  CHECK(record_comment(R"({"_date":1,"_comment":"a\nb \u00e9","T":{}})") == "a\nb \xc3\xa9");
  CHECK(record_comment(R"({"T":{"u":{"_comment":"inner"}},"a":["_comment","x"],"b":"c"})") == "");
  CHECK(record_comment("{\"_comment\":\"with newline\"}\n") == "with newline");
  CHECK(record_comment(R"({"_comment":5})") == "");
  CHECK(record_comment(R"({"_comment":{"x":"y"},"z":"q"})") == "");
  CHECK(record_comment("{}") == "");
}

TEST_CASE("What is no JSON object has no comment, not even an empty one") {
  CHECK(!record_comment(""));
  CHECK(!record_comment("[\"_comment\"]"));
  CHECK(!record_comment("{\"_comment\":\"x\""));
  CHECK(!record_comment("{} {}"));
}
