// Transactions of sessions: those of clients that go, and those that wait.

#include <cerrno>

#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

const char* const kInsert = R"(["D",{"op":"insert","table":"T","row":{"n":1}}])";

TEST_CASE("what waits for a turn of a session is not done once the session has gone") {
  Site site;
  site.clock.step_us = 3000;  // each transaction takes a turn's time
  {
    Client client(site);
    for (int i = 0; i < 100; ++i) client.say("transact", kInsert, std::to_string(i));
  }
  CHECK(site.database().stored->database().snapshot().tables.at(0).size() < 5);
}

TEST_CASE("a transaction whose wait comes true when a failed write is taken back is answered") {
  Site site;
  Client writer(site);
  Client waiter(site);
  site.files.fail(test::FakeFileSystem::Op::kWrite, ENOSPC);
  writer.say("transact", kInsert, "1");
  waiter.say("transact", R"(["D",{"op":"wait","table":"T","where":[["n","==",1]],"columns":["n"],
      "until":"==","rows":[]}])",
             "2");
  site.run();
  CHECK_THAT(writer.connection.take().back(), Catch::Contains("I/O error"));
  const std::vector<std::string> answers = waiter.connection.take();
  REQUIRE(answers.size() == 1);
  CHECK_THAT(answers.front(), Catch::Contains(R"("result":[{}])"));
}

}  // namespace
}  // namespace tandem
