#include <catch2/catch.hpp>

#include "tests/unit/server/tool/tool_fixture.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE_METHOD(ToolFixture, "A command takes as many arguments as it says") {
  CHECK(failure({""}) == "missing command name; use --help for help");
  CHECK(failure({"frob"}) == "unknown command 'frob'; use --help for help");
  CHECK(failure({"transact"}) == "'transact' command requires at least 1 arguments");
  CHECK(failure({"create", "a", "b", "c"}) == "'create' command takes at most 2 arguments");
}

TEST_CASE_METHOD(ToolFixture, "Versions are compared by number") {
  CHECK(run({"compare-versions", "1.2.3", "<", "1.2.10"}) == tool::kDone);
  CHECK(run({"compare-versions", "1.2.3", ">", "1.2.10"}) == tool::kNo);
  CHECK(failure({"compare-versions", "1.2.3", "=", "1.2.3"}) == "=: not a relational operator");
  CHECK(failure({"compare-versions", "1.2", "==", "1.2.3"}) ==
        "1.2: not an OVSDB version number in format x.y.z");
}

TEST_CASE_METHOD(ToolFixture, "Kinds of files are told apart by exit status") {
  print({"create", "db", "schema"});
  disk.put("cluster", "OVSDB CLUSTER 3 " + std::string(40, '0') + "\n{}\n");
  CHECK(run({"db-is-standalone", "db"}) == tool::kDone);
  CHECK(run({"db-is-clustered", "db"}) == tool::kNo);
  CHECK(run({"db-is-standalone", "cluster"}) == tool::kNo);
  CHECK(run({"db-is-clustered", "cluster"}) == tool::kDone);
  CHECK(failure({"db-is-clustered", "schema"}) == "ovsdb error: schema: unexpected file format");
}

TEST_CASE_METHOD(ToolFixture, "What needs a cluster is refused by name") {
  print({"create", "db", "schema"});
  CHECK(failure({"check-cluster", "db"}).starts_with("check-cluster: not supported: "));
  CHECK(failure({"db-sid", "db"}) == "db: not a clustered database");
}
