// What a client says while a request about monitors has not taken effect.

#include "protocol/json/json_reader.h"
#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

constexpr const char* kMonitor = R"(["D","m",{"T":{}}])";
constexpr const char* kInsert = R"(["D",{"op":"insert","table":"T","row":{}}])";

/// The ids of replies, in their order.
std::vector<std::string> ids_of(const std::vector<std::string>& texts) {
  std::vector<std::string> ids;
  for (const std::string& text : texts)
    ids.push_back(to_text(parse_json(text).value().root().find("id")));
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

TEST_CASE("what a session answers by itself comes behind the answers before it") {
  Site site;
  Client client(site);
  client.say("transact", kInsert, "1");
  client.say("list_dbs", "[]", "2");
  client.say("get_schema", R"(["D"])", "3");
  client.say("transact", R"(["nothing"])", "4");
  client.say("set_db_change_aware", "[true]", "5");
  client.say("no_such_method", "[]", "6");
  client.say("transact", kInsert, "7");
  client.say("get_server_id", "[]", "8");
  site.run();
  CHECK(ids_of(client.connection.take()) ==
        std::vector<std::string>{"1", "2", "3", "4", "5", "6", "7", "8"});
}

TEST_CASE("what is said behind a conversion has to do with the new schema") {
  Site site;
  Client client(site);
  client.ask("set_db_change_aware", "[true]");
  client.ask("monitor", kMonitor);
  client.say(
      "convert",
      R"(["D",{"name":"D","tables":{"T":{"columns":{"k":{"type":"integer"}},"isRoot":true}}}])",
      "1");
  client.say("get_schema", R"(["D"])", "2");
  client.say("monitor", R"(["D","m",{"T":{"columns":["k"]}}])", "3");
  client.say("transact", R"(["D",{"op":"insert","table":"T","row":{"k":7}}])", "4");
  site.run();
  std::vector<std::string> texts = client.connection.take();
  std::erase_if(texts, [](const std::string& text) {
    return text.find(R"("method":)") != std::string::npos;  // updates, and that the monitor is over
  });
  REQUIRE(ids_of(texts) == std::vector<std::string>{"1", "2", "3", "4"});
  CHECK_THAT(texts[1], Catch::Contains(R"("k":)"));
  for (const std::string& text : texts) CHECK_THAT(text, Catch::Contains(R"("error":null)"));
}

TEST_CASE("a client that says nothing more gets all answers but those of waits") {
  Site site;
  Client client(site);
  SECTION("when nothing is under way it is closed at once") {
    CHECK(client.handler->on_end_of_input());
    CHECK(client.connection.ended);
  }
  SECTION("else when all is answered") {
    client.say("transact", kInsert, "1");
    client.say("monitor", kMonitor, "2");
    client.say("transact", kInsert, "3");
    CHECK(client.handler->on_end_of_input());
    CHECK_FALSE(client.connection.ended);
    site.run();
    CHECK(client.connection.ended);
    CHECK(ids_of(client.connection.take()) == std::vector<std::string>{"1", "2", "null", "3"});
  }
  SECTION("a wait that blocks keeps nobody") {
    client.say(
        "transact",
        R"(["D",{"op":"wait","table":"T","where":[],"columns":["n"],"until":"==","rows":[{"n":1}]}])",
        "1");
    CHECK(client.handler->on_end_of_input());
    CHECK_FALSE(client.connection.ended);
    site.run();
    CHECK(client.connection.ended);
    CHECK(client.connection.take().empty());
  }
  SECTION("a long one is answered, too") {
    const std::string space(200'000, ' ');
    client.say("transact", R"(["D",{"op":"insert","table":"T","row":{"n":1}})" + space + "]", "1");
    CHECK(client.handler->on_end_of_input());
    CHECK_FALSE(client.connection.ended);
    site.run();
    CHECK(client.connection.ended);
    CHECK(ids_of(client.connection.take()) == std::vector<std::string>{"1"});
  }
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

TEST_CASE("what is under way when the server closes a connection is answered first") {
  Site site;
  Client client(site);
  client.say("transact", kInsert, "1");
  SECTION("for a reason of its own") {
    site.hub.disable_conditional_monitors();
    CHECK(client.connection.end_reason == "disabling conditional monitoring");
  }
  SECTION("because of what the client says behind it") {
    client.handler->on_message(
        JsonRpcMessage::from_json(parse_json(R"({"id":1,"result":[],"error":null})").value())
            .value());
  }
  CHECK_FALSE(client.connection.ended);
  site.run();
  CHECK(client.connection.ended);
  CHECK(client.connection.closed.empty());
  CHECK(ids_of(client.connection.take()) == std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace tandem
