// Transactions of sessions: those of clients that go, those that wait, and those that another
// server executes.

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

TEST_CASE("a peer is told how high the database stood when its transaction was executed") {
  Site site;
  Client peer(site);
  const auto ask = [&](const std::string& operations) {
    return peer.ask("tandem_transact", R"(["D",{"height":true},["D",)" + operations + "]]");
  };
  const std::string insert = R"({"op":"insert","table":"T","row":{"n":1}})";
  const auto executed = [](const std::string& height) {
    return Catch::StartsWith(R"({"method":"tandem_executed","id":null,"params":[1,")" + height +
                             R"("]})" + R"({"error":null,"id":1,"result":[)");
  };
  CHECK_THAT(ask(insert), executed("0:1"));
  CHECK_THAT(ask(R"({"op":"select","table":"T","where":[]})"), executed("0:1"));
  CHECK_THAT(ask(insert + R"(,{"op":"abort"})"), executed("0:1"));
  CHECK_THAT(ask(insert + "," + insert), executed("0:2"));
  for (const char* params : {R"(["D",{},["D"]])", R"(["D",{"height":1},["D"]])",
                             R"(["D",{"height":true},["E"]])", R"(["E",{"height":true},["E"]])"}) {
    const std::string answer = peer.ask("tandem_transact", params);
    CHECK_THAT(answer, !Catch::Contains("tandem_executed") && Catch::Contains(R"("result":null)"));
  }
}

TEST_CASE("a peer that forwards is read on, however much of it is under way or waits") {
  SessionLimits limits;
  limits.requests = 2;
  limits.waits = 1;
  Site site(limits);
  Client peer(site);
  peer.follow("11111111-1111-4111-8111-111111111111", site.position());
  const std::string wait =
      R"({"op":"wait","table":"T","where":[],"columns":["n"],"until":"==","rows":[{"n":7}]})";
  for (int i = 0; i < 5; ++i) {
    peer.say("tandem_transact", R"(["D",{"height":true},["D",)" + wait + "]]",
             std::to_string(10 + i));
    peer.say("tandem_transact",
             R"(["D",{"height":true},["D",{"op":"select","table":"T","where":[]}]])",
             std::to_string(20 + i));
  }
  CHECK(peer.connection.reading);
  site.run();
  CHECK(peer.connection.take().size() == 10);  // a height and an answer each
  CHECK_THAT(peer.ask("transact", R"(["D",{"op":"insert","table":"T","row":{"n":7}}])"),
             Catch::Contains(R"("id":14)"));
}

/// Keeps what it is given.
class FakeForwarder final : public Forwarder {
 public:
  void forward(std::unique_ptr<TransactCall> call) override { calls.push_back(std::move(call)); }
  void cancel(SessionId, const JsonId& id) override { canceled.push_back(id.text()); }
  void drop(SessionId) override { ++dropped; }
  std::unique_ptr<TransactCall> take() {
    std::unique_ptr<TransactCall> call = std::move(calls.front());
    calls.erase(calls.begin());
    return call;
  }

  std::vector<std::unique_ptr<TransactCall>> calls;
  std::vector<std::string> canceled;
  int dropped = 0;
};

/// A backup, and the forwarder of its writes.
struct ForwardingSite : Site {
  ForwardingSite() {
    server.call(
        [this] {
          server.set_backup(database(), true);
          server.set_forwarder(database(), forwarder);
        },
        shard);
    run();
  }
  void take_back() {
    server.call([this] { server.take_back(forwarder->take()); }, shard);
    run();
  }
  std::shared_ptr<FakeForwarder> forwarder = std::make_shared<FakeForwarder>();
};

TEST_CASE("a backup forwards what may write, and executes what only reads") {
  ForwardingSite site;
  {
    Client client(site);
    CHECK_THAT(client.ask("transact", R"(["D",{"op":"select","table":"T","where":[]}])"),
               Catch::Contains(R"("rows":[])"));
    CHECK(client.ask("transact", kInsert).empty());
    CHECK(site.forwarder->calls.size() == 1);
    client.notify("cancel", "[1]");
    CHECK(site.forwarder->canceled == std::vector<std::string>{"1"});
    Client reader(site, {"tcp:1", "ptcp:", "", "", true});
    CHECK_THAT(reader.ask("transact", kInsert), Catch::Contains("not allowed"));
    CHECK(site.forwarder->calls.size() == 1);
  }
  CHECK(site.forwarder->dropped == 2);
}

TEST_CASE("what was not forwarded is executed by whatever role the server has by then") {
  ForwardingSite site;
  Client client(site);
  CHECK(client.ask("transact", kInsert).empty());
  site.take_back();
  CHECK_THAT(client.connection.take().back(), Catch::Contains("not allowed"));
  CHECK(client.ask("transact", kInsert).empty());
  site.server.call([&] { CHECK(site.server.promote(site.database())); }, site.shard);
  site.take_back();
  CHECK_THAT(client.connection.take().back(), Catch::Contains("uuid"));
  // An active server executes, and one that becomes a backup again has to be given a forwarder.
  CHECK_THAT(client.ask("transact", kInsert), Catch::Contains("uuid"));
  site.server.call([&] { site.server.set_backup(site.database(), true); }, site.shard);
  CHECK_THAT(client.ask("transact", kInsert), Catch::Contains("not allowed"));
}

}  // namespace
}  // namespace tandem
