// Messages that are too long to be read in one turn of a shard.

#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

const char* const kInsert = R"(["D",{"op":"insert","table":"T","row":{"n":1}}])";
const std::string kLongInsert =
    R"(["D",{"op":"insert","table":"T","row":{"n":2}},{"op":"comment","comment":")" +
    std::string(200, 'x') + "\"}]";
const std::string kLongMonitor =
    R"(["D","m",{"T":[{"columns":["n"],"where":[["n","==",1]]},{"columns":[],"where":[)" +
    std::string(200, ' ') + "false]}]}]";
const char* const kSchema = R"(["D",{"name":"D","version":"2.0.0","tables":{
    "T":{"columns":{"n":{"type":"integer"},"new":{"type":"string"}},"isRoot":true}}}])";

/// Messages of more than 200 bytes are long.
struct ShortTurns : Site {
  ShortTurns() : Site(limits_of()) {}
  static SessionLimits limits_of() {
    SessionLimits limits;
    limits.bytes_read_at_once = 200;
    return limits;
  }
  /// All but the reader's thread, which does not come to it.
  void run_others() {
    while (!shard.idle() || !background.idle()) {
      shard.run();
      background.run();
    }
  }
  std::size_t rows() { return database().stored->database().snapshot().tables.at(0).size(); }
};

TEST_CASE_METHOD(ShortTurns,
                 "while a long request is read others go on, and those behind it wait") {
  Client client(*this);
  Client other(*this);
  client.say("transact", kLongInsert, "1");
  client.say("transact", kInsert, "2");
  other.say("transact", kInsert, "3");
  run_others();
  CHECK(client.connection.take().empty());
  CHECK_FALSE(client.connection.reading);
  CHECK(other.connection.take().size() == 1);
  CHECK(rows() == 1);
  run();
  const std::vector<std::string> answers = client.connection.take();
  REQUIRE(answers.size() == 2);
  CHECK_THAT(answers[0], Catch::Contains(R"("id":1,)") && Catch::Contains(R"({"uuid")"));
  CHECK_THAT(answers[1], Catch::Contains(R"("id":2,)"));
  CHECK(client.connection.reading);
  CHECK(rows() == 3);
}

TEST_CASE_METHOD(ShortTurns, "a long request of a session that has gone meanwhile is not done") {
  {
    Client client(*this);
    client.say("transact", kLongInsert, "1");
  }
  CHECK(rows() == 0);
}

TEST_CASE_METHOD(ShortTurns, "a long request for a monitor is answered like a short one") {
  Client client(*this);
  client.ask("transact", kInsert);
  CHECK_THAT(client.ask("monitor_cond", kLongMonitor), Catch::Contains(R"("initial":{"n":1})"));
  CHECK_THAT(
      client.ask("monitor_cond_change", R"(["m","m2",{"T":[{"where":[["n","==",7]]},)" +
                                            std::string(200, ' ') + R"({"where":[false]}]}])"),
      Catch::Contains(R"("delete":null)"));
  CHECK_THAT(client.ask("monitor_cond", kLongMonitor), Catch::Contains(R"("error":null)"));
}

TEST_CASE_METHOD(ShortTurns,
                 "a monitor of a database that is converted while it is read is canceled") {
  Client client(*this);
  Client root(*this);
  client.ask("set_db_change_aware", "[true]");
  client.say("monitor_cond", kLongMonitor, "1");
  root.say("convert", kSchema, "2");
  reader.run_one();  // the schema may be long, too
  run_others();
  run();
  CHECK_THAT(client.connection.take().back(), Catch::Contains(R"("error":"canceled")"));
  CHECK_THAT(client.ask("monitor_cond", kLongMonitor), Catch::Contains(R"("error":null)"));
}

TEST_CASE_METHOD(ShortTurns, "what is wrong in a long request is said as in a short one") {
  Client client(*this);
  const std::string space(200, ' ');
  CHECK_THAT(client.ask("transact", R"(["D",{"op":"nothing"},)" + space + "3]"),
             Catch::Contains(R"(No operation \"nothing\")"));
  CHECK_THAT(client.ask("monitor_cond", R"(["D","m",{"None":[)" + space + "{}]}]"),
             Catch::Contains("no table named None"));
}

}  // namespace
}  // namespace tandem
