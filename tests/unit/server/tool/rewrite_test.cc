#include <catch2/catch.hpp>

#include "tests/unit/server/tool/tool_fixture.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE_METHOD(ToolFixture, "A compacted file stands at the position of what it replaced") {
  print({"create", "db", "schema"});
  print({"transact", "db", kInsert});
  const std::string position = print({"position", "db"});
  print({"compact", "db"});
  CHECK(print({"position", "db"}) == position);
  print({"compact", "db", "copy"});
  CHECK(print({"position", "copy"}) == position);
  CHECK(print({"check", "copy"}).starts_with("copy: good: database lab, 1 rows, "));
}

TEST_CASE_METHOD(ToolFixture,
                 "A converted file stands one record further, in a history of its own") {
  print({"create", "db", "schema"});
  print({"transact", "db", kInsert});
  CHECK(print({"position", "db"}).starts_with("0/1/"));
  print({"convert", "db", "schema"});
  CHECK(print({"position", "db"}).starts_with("0/2/"));
}

TEST_CASE_METHOD(ToolFixture, "A target that exists is left alone") {
  print({"create", "db", "schema"});
  disk.put("target", "precious");
  CHECK(failure({"compact", "db", "target"}).starts_with("I/O error: target: create failed"));
  CHECK(disk.contents("target") == "precious");
}

TEST_CASE_METHOD(ToolFixture, "A conversion that does not fit leaves no target") {
  print({"create", "db", "schema"});
  print({"transact", "db", kInsert});
  disk.put("misfit", R"({"name":"lab","tables":{"T":{"columns":{"name":{"type":"integer"}}}}})");
  CHECK(failure({"convert", "db", "misfit", "target"}) ==
        "syntax \"\"one\"\": syntax error: expected integer");
  CHECK(!disk.exists("target"));
}

TEST_CASE_METHOD(ToolFixture, "A file with a bad record is not rewritten") {
  print({"create", "db", "schema"});
  disk.put("db", disk.contents("db") + "xxx\n");
  const std::string before = disk.contents("db");
  CHECK(failure({"compact", "db"}).find("header line \"xxx\"") != std::string::npos);
  CHECK(disk.contents("db") == before);
}
