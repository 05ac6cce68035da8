#include <catch2/catch.hpp>

#include "server/storage/damage.h"
#include "tests/unit/server/storage/log_text.h"
#include "tests/unit/server/tool/tool_fixture.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// A file with these records: the rows one, two and three, then two goes.
class DamagedFixture : public ToolFixture {
 public:
  DamagedFixture() {
    print({"create", "db", "schema"});
    for (const char* name : {"one", "two", "three"})
      print(
          {"transact", "db",
           std::string(R"(["lab",{"op":"insert","table":"T","row":{"name":")") + name + R"("}}])"});
    print(
        {"transact", "db", R"(["lab",{"op":"delete","table":"T","where":[["name","==","two"]]}])"});
  }

  void damage(const std::string& text) {
    std::string file = disk.contents("db");
    file[file.find(text)] = 'z';
    disk.put("db", file);
  }
  std::string names(const std::string& file) {
    return print(
        {"query", file, R"(["lab",{"op":"select","table":"T","where":[],"columns":["name"]}])"});
  }
};

}  // namespace

TEST_CASE_METHOD(DamagedFixture, "A check says where a file is damaged and what is whole") {
  damage("\"three\"");
  CHECK(run({"check", "db"}) == tool::kNo);
  CHECK_THAT(output, Catch::StartsWith("db: damaged at offset ") &&
                         Catch::Contains(", line 7, record 3 (syntax error: db: ") &&
                         Catch::EndsWith("db: 3 whole records before the damage, 1 behind it\n"));
  damage("\"one\"");
  CHECK(run({"check", "db"}) == tool::kNo);
  CHECK_THAT(output, Catch::Contains(", line 3, record 1 (") && Catch::Contains(", record 2 (") &&
                         Catch::EndsWith("db: 1 whole records before the damage, 2 behind it\n"));
}

TEST_CASE_METHOD(DamagedFixture, "A check says which whole record the schema refuses") {
  const std::string before = disk.contents("db");
  disk.put("db", before + record_text(R"({"invalid":{}})") + record_text("{}"));
  CHECK(run({"check", "db"}) == tool::kNo);
  CHECK_THAT(output, Catch::Contains("db: the file is damaged at offset " +
                                     std::to_string(before.size()) + ", in record 5, ") &&
                         Catch::Contains("No table named invalid."));
}

TEST_CASE_METHOD(DamagedFixture, "A check says that a file has not got back what it lost") {
  storage::Damage damage{.offset = 700, .bytes = 100, .record = 3, .whole_behind = 2};
  damage.kept_as = "db.damaged-1";
  disk.put("db.mending", damage.to_mark());
  CHECK(run({"check", "db"}) == tool::kNo);
  CHECK_THAT(output, Catch::StartsWith("db: the file was damaged at offset 700, in record 3, ") &&
                         Catch::Contains("has not got back what it lost, as db.mending says\n"));
}

TEST_CASE_METHOD(DamagedFixture, "A torn tail is told as ever") {
  disk.put("db", disk.contents("db") + "xxx\n");
  CHECK_THAT(failure({"check", "db"}), Catch::EndsWith("in header line \"xxx\""));
}

TEST_CASE_METHOD(DamagedFixture, "What is whole is written to a new file, behind the damage, too") {
  damage("\"one\"");
  const std::string before = disk.contents("db");
  CHECK_THAT(print({"salvage", "db", "new"}),
             Catch::StartsWith("lost: offset ") &&
                 Catch::Contains("new: database lab, 1 rows, 0 records as they were, 3 applied "
                                 "behind what is lost, 0 not applied\n"));
  CHECK(disk.contents("db") == before);
  CHECK_THAT(names("new"), Catch::Contains("three"));
  CHECK(run({"check", "new"}) == tool::kDone);
}

TEST_CASE_METHOD(DamagedFixture, "A record that does not fit without what is lost is named") {
  damage("\"two\"");
  CHECK_THAT(print({"salvage", "db", "new"}),
             Catch::Contains("cannot be applied: the record at offset ") &&
                 Catch::Contains("2 rows, 1 records as they were, 1 applied behind what is lost, 1 "
                                 "not applied\n"));
  CHECK_THAT(names("new"), Catch::Contains("one") && Catch::Contains("three"));
}

TEST_CASE_METHOD(DamagedFixture, "What stands before the damage keeps its place in the history") {
  const std::string file = disk.contents("db");
  disk.put("part", file.substr(0, file.rfind("OVSDB JSON")));
  const std::string position = print({"position", "part"});
  disk.put("db", file + "xxx\n");
  damage("null");
  print({"salvage", "db", "new"});
  CHECK(print({"position", "new"}) == position);
}

TEST_CASE_METHOD(DamagedFixture, "A record behind the damage leads to no position of the old one") {
  print({"compact", "db"});
  const std::string position = print({"position", "db"});
  std::string file = disk.contents("db");
  // A record that cannot be read, before the one with all rows.
  file.insert(file.find("OVSDB JSON", 1), "OVSDB JSON 9 " + std::string(40, 'a') + "\n{\"_x\":{}}");
  disk.put("db", file);
  print({"salvage", "db", "new"});
  CHECK_THAT(names("new"), Catch::Contains("one") && Catch::Contains("three"));
  CHECK(print({"position", "new"}) != position);
}

TEST_CASE_METHOD(ToolFixture, "Reals behind the damage keep all their digits") {
  disk.put("reals", R"({"name":"lab","tables":{"R":{"columns":{"r":{"type":"real"}}}}})");
  print({"create", "db", "reals"});
  print(
      {"transact", "db", R"(["lab",{"op":"insert","table":"R","row":{"r":0.30000000000000004}}])"});
  print({"compact", "db"});
  std::string file = disk.contents("db");
  file.insert(file.find("OVSDB JSON", 1), "OVSDB JSON 9 " + std::string(40, 'a') + "\n{\"_x\":{}}");
  disk.put("db", file);
  print({"salvage", "db", "new"});
  CHECK_THAT(disk.contents("new"), Catch::Contains("\"r\":0.30000000000000004"));
}

TEST_CASE_METHOD(DamagedFixture, "A lost schema may be given") {
  const std::string whole = disk.contents("db");
  const std::string lost = GENERATE("OVSDB JSON", "\"lab\"");
  damage(lost);
  CHECK(run({"check", "db"}) == tool::kNo);
  CHECK_THAT(failure({"salvage", "db", "new"}), Catch::Contains("name a schema file"));
  CHECK(!disk.exists("new"));
  print({"salvage", "db", "new", "schema"});
  CHECK_THAT(names("new"), Catch::Contains("one") && Catch::Contains("three"));
}

TEST_CASE_METHOD(DamagedFixture, "Nothing is salvaged over a file that exists, or from none") {
  disk.put("new", "precious");
  CHECK(failure({"salvage", "db", "new"}) == "I/O error: new: create failed (File exists)");
  CHECK(disk.contents("new") == "precious");
  disk.put("other", "no database\n");
  CHECK(failure({"salvage", "other", "newer"}) == "ovsdb error: other: unexpected file format");
  CHECK(!disk.exists("newer"));
}
