// What a client says while a request about monitors has not taken effect.

#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

constexpr const char* kMonitor = R"(["D","m",{"T":{}}])";
constexpr const char* kInsert = R"(["D",{"op":"insert","table":"T","row":{}}])";

/// The ids of replies, in their order.
std::vector<std::string> ids_of(const std::vector<std::string>& texts) {
  std::vector<std::string> ids;
  for (const std::string& text : texts) ids.push_back(to_text(parse_json(text).value().at("id")));
  return ids;
}

TEST_CASE("what is said behind a request about monitors is answered after it, in its order") {
  Site site;
  Client client(site);
  client.say("monitor", kMonitor, "1");
  client.say("list_dbs", "[]", "2");
  client.say("monitor_cancel", R"(["m"])", "3");
  client.say("get_server_id", "[]", "4");
  client.say("monitor", kMonitor, "5");
  client.say("transact", kInsert, "6");
  CHECK(client.connection.take().empty());
  site.run();
  // The update of the transaction comes before its reply.
  CHECK(ids_of(client.connection.take()) ==
        std::vector<std::string>{"1", "2", "3", "4", "5", "null", "6"});
}

TEST_CASE("a client is not read while many requests wait behind one about monitors") {
  Site site;
  Client client(site);
  client.say("monitor", kMonitor, "0");
  std::vector<std::string> asked{"0"};
  for (int i = 1; i <= 16; ++i) {
    CHECK(client.connection.reading);
    asked.push_back(std::to_string(i));
    client.say("list_dbs", "[]", asked.back());
  }
  CHECK_FALSE(client.connection.reading);
  site.run();
  CHECK(client.connection.reading);
  CHECK(ids_of(client.connection.take()) == asked);
}

TEST_CASE("what waits when the server closes a connection is not done") {
  Site site;
  Client client(site);
  const Position before = site.position();
  client.say("monitor", kMonitor, "1");
  SECTION("for a reason of its own") {
    client.say("transact", kInsert, "2");
    site.hub.disable_conditional_monitors();
  }
  SECTION("because of what the client said before") {
    client.handler->on_message(
        JsonRpcMessage::from_json(parse_json(R"({"id":1,"result":[],"error":null})").value())
            .value());
    client.say("transact", kInsert, "2");
  }
  site.run();
  CHECK(site.position() == before);
}

}  // namespace
}  // namespace tandem
