// Transactions of sessions: those of clients that go, and those that wait.

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

}  // namespace
}  // namespace tandem
