#include <catch2/catch.hpp>

#include "tests/unit/server/tool/tool_fixture.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE_METHOD(ToolFixture, "A transaction is kept, a query is not") {
  print({"create", "db", "schema"});
  print({"transact", "db", kInsert});
  const std::string before = disk.contents("db");
  CHECK(print({"query", "db", R"(["lab",{"op":"delete","table":"T","where":[]}])"}) ==
        "[{\"count\":1}]\n");
  CHECK(disk.contents("db") == before);
  CHECK(print({"transact", "db", R"(["lab",{"op":"delete","table":"T","where":[]}])"}) ==
        "[{\"count\":1}]\n");
  CHECK(disk.contents("db").size() > before.size());
}

TEST_CASE_METHOD(ToolFixture, "A wait that would last fails in its place") {
  print({"create", "db", "schema"});
  const auto wait = [](std::string_view timeout) {
    return R"(["lab",{"op":"comment","comment":"c"},{"op":"wait","table":"T","where":[],)"
           R"("columns":["name"],"until":"!=","rows":[])" +
           std::string(timeout) + R"(},{"op":"abort"}])";
  };
  const std::string unsupported =
      "[{},{\"details\":\"triggers not supported\",\"error\":\"not supported\"},null]\n";
  CHECK(print({"transact", "db", wait("")}) == unsupported);
  CHECK(print({"transact", "db", wait(",\"timeout\":1000")}) == unsupported);
  CHECK(print({"transact", "db", wait(",\"timeout\":0")}).find("timed out") != std::string::npos);
}

TEST_CASE_METHOD(ToolFixture, "What is no transaction of the database is an answer") {
  print({"create", "db", "schema"});
  CHECK(
      print({"transact", "db", "[]"}) ==
      R"({"details":"database name expected as first parameter","error":"syntax error","syntax":"[]"})"
      "\n");
  CHECK(failure({"transact", "db", "junk"}).starts_with("\"junk\": line 0"));
}

TEST_CASE_METHOD(ToolFixture,
                 "The answer is an error when the disk is full, and the file as it was") {
  print({"create", "db", "schema"});
  const std::string before = disk.contents("db");
  disk.fail(FakeFileSystem::Op::kWrite, ENOSPC);
  CHECK(print({"transact", "db", kInsert}).find("\"error\":\"I/O error\"") != std::string::npos);
  CHECK(disk.contents("db") == before);
}
