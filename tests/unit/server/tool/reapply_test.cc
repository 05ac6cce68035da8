#include <catch2/catch.hpp>

#include "server/storage/log_file.h"
#include "tests/unit/server/tool/tool_fixture.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const std::string kUuid = "11111111-0000-4000-8000-000000000000";
const std::string kAside =
    R"("_comment":"set aside by tandem-server: records that only this server had\n)"
    R"(tandem: snapshot epoch=1 index=7 digest=22222222-0000-4000-8000-000000000000")";

/// A file with these records after the schema.
struct Fixture : ToolFixture {
  void make(const std::vector<std::string>& bodies) {
    auto log = storage::LogFile::create(disk, "f", disk.contents("schema"));
    std::vector<storage::PreparedRecord> records;
    for (const std::string& body : bodies) records.push_back(storage::prepare_record(body));
    REQUIRE(log.value()->append(records));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A record of a new row becomes an insert that keeps its UUID") {
  make({"{" + kAside + "}", R"({"_comment":"why","T":{")" + kUuid + R"(":{"name":"a"}}})"});
  CHECK(
      print({"divergences", "f"}) ==
      R"(["lab",{"op":"insert","table":"T","uuid":")" + kUuid +
          R"(","row":{"name":"a"}},{"op":"comment","comment":"applied again from f, record 2: why"}])"
          "\n");
}

TEST_CASE_METHOD(Fixture, "A changed row is waited for; of sets only the difference is told") {
  make({"{" + kAside + R"(,"T":{")" + kUuid + R"(":{"name":"a","tags":["set",["x","y"]]}}})",
        R"({"_is_diff":true,"T":{")" + kUuid + R"(":{"name":"b","tags":["set",["x","z"]]}}})",
        R"({"T":{")" + kUuid + R"(":null}})"});
  const std::string where = R"("table":"T","where":[["_uuid","==",["uuid",")" + kUuid + R"("]]])";
  CHECK(print({"divergences", "f"}) ==
        R"(["lab",{"op":"wait",)" + where +
            R"(,"timeout":0,"until":"==","columns":["_uuid","name"],"rows":[{"_uuid":["uuid",")" +
            kUuid + R"("],"name":"a"}]},{"op":"update",)" + where +
            R"(,"row":{"name":"b"}},{"op":"mutate",)" + where +
            R"(,"mutations":[["tags","delete","x"],["tags","insert","z"]]},)"
            R"({"op":"comment","comment":"applied again from f, record 2"}])"
            "\n"
            R"(["lab",{"op":"delete",)" +
            where +
            R"(},{"op":"comment","comment":"applied again from f, record 3"}])"
            "\n");
}

TEST_CASE_METHOD(Fixture, "Promotions and what came from another server are not applied again") {
  make({"{" + kAside + "}", R"({"_comment":"tandem: promotion epoch=2"})",
        R"({"_comment":"tandem: snapshot epoch=3 index=9 digest=)" + kUuid + R"(","T":{")" + kUuid +
            R"(":{"name":"theirs"}}})"});
  CHECK(print({"divergences", "f"}).empty());
}

TEST_CASE_METHOD(Fixture, "A file of all rows or of something else has no transactions") {
  make({R"({"_comment":"set aside by tandem-server: all rows\n)"
        R"(tandem: snapshot epoch=1 index=7 digest=22222222-0000-4000-8000-000000000000"})"});
  CHECK(failure({"divergences", "f"}).find("holds all rows") != std::string::npos);
}
