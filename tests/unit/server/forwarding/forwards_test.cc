#include "server/forwarding/forwards.h"

#include <catch2/catch.hpp>
#include <vector>

#include "protocol/json/json_reader.h"
#include "server/forwarding/backup_forwards.h"

namespace tandem {
namespace {

class FakePort final : public ForwardsPort {
 public:
  void send(std::string text) override { sent.push_back(std::move(text)); }
  bool has_room() const override { return room; }
  void answer(std::unique_ptr<TransactCall> call) override { answered.push_back(std::move(call)); }
  void take_back(std::unique_ptr<TransactCall> call) override { back.push_back(std::move(call)); }

  bool room = true;
  std::vector<std::string> sent;
  std::vector<std::unique_ptr<TransactCall>> answered;
  std::vector<std::unique_ptr<TransactCall>> back;
};

struct Call final : TransactCall {
  void done() override {}
};

std::unique_ptr<TransactCall> call_of(std::uint64_t session, std::int64_t id,
                                      const std::string& params = R"(["D",{"op":"insert"}])") {
  auto call = std::make_unique<Call>();
  call->session = SessionId{session};
  call->id = JsonId(id);
  call->database = "D";
  call->request = parse_json(params).value();
  call->params = call->request.root();
  return call;
}

std::string request(int number, const std::string& method = "transact",
                    const std::string& params = R"(["D",{"op":"insert"}])") {
  return make_request(method, params, JsonId::of_string("forwarded-D-" + std::to_string(number)));
}

bool answer(Forwards& forwards, const std::string& id, const std::string& rest) {
  const std::string text = R"({"id":)" + id + "," + rest + "}";
  return forwards.on_answer(JsonRpcMessage::from_json(parse_json(text).value()).value());
}

}  // namespace

TEST_CASE("Transactions wait for the server that executes them, and its answer goes back") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kRelay, "forwarded-D-", 10'000, port);
  forwards.forward(call_of(1, 7));
  CHECK(port.sent.empty());
  forwards.open();
  CHECK(port.sent == std::vector{request(1)});
  CHECK_FALSE(answer(forwards, "7", R"("error":null,"result":[])"));
  CHECK(answer(forwards, "\"forwarded-D-1\"",
               R"("error":null,"result":[{"count":1},{"error":"x"}])"));
  REQUIRE(port.answered.size() == 1);
  CHECK(port.answered[0]->forwarded->json == R"([{"count":1},{"error":"x"}])");
  CHECK(port.answered[0]->forwarded->failed);
  CHECK_FALSE(port.answered[0]->forwarded->is_error);
}

TEST_CASE("What was sent is lost with the server; what was not waits for the next") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kRelay, "forwarded-D-", 10'000, port);
  forwards.open();
  forwards.forward(call_of(1, 1));
  forwards.close("gone");
  forwards.forward(call_of(1, 2));
  REQUIRE(port.answered.size() == 1);
  CHECK(port.answered[0]->id == JsonId(1));
  CHECK(port.answered[0]->lost.find("gone") != std::string::npos);
  port.sent.clear();
  forwards.open();
  CHECK(port.sent == std::vector{request(2)});
  CHECK_FALSE(answer(forwards, "\"forwarded-D-1\"", R"("error":null,"result":[])"));
}

TEST_CASE("A cancellation follows the transaction") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kRelay, "forwarded-D-", 10'000, port);
  forwards.forward(call_of(1, 1));
  forwards.cancel(SessionId{2}, JsonId(1));
  CHECK(port.answered.empty());
  forwards.cancel(SessionId{1}, JsonId(1));
  REQUIRE(port.answered.size() == 1);
  CHECK(port.answered[0]->canceled);
  forwards.open();
  CHECK(port.sent.empty());
  forwards.forward(call_of(1, 2));
  forwards.cancel(SessionId{1}, JsonId(2));
  CHECK(port.sent == std::vector{request(1), make_notification("cancel", R"(["forwarded-D-1"])")});
  CHECK(answer(forwards, "\"forwarded-D-1\"", R"("result":null,"error":"canceled")"));
  CHECK(port.answered[1]->forwarded->json == "\"canceled\"");
  CHECK(port.answered[1]->forwarded->is_error);
}

TEST_CASE("Nothing waits for a session that is gone") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kRelay, "forwarded-D-", 10'000, port);
  forwards.forward(call_of(1, 1));
  forwards.drop(SessionId{1});
  forwards.open();
  CHECK(port.sent.empty());
  auto waits = call_of(1, 2);
  waits->wait_bytes = 10;
  forwards.forward(std::move(waits));
  forwards.forward(call_of(1, 3));
  port.sent.clear();
  forwards.drop(SessionId{1});
  CHECK(port.sent == std::vector{make_notification("cancel", R"(["forwarded-D-1"])")});
  CHECK(answer(forwards, "\"forwarded-D-1\"", R"("result":null,"error":"canceled")"));
  CHECK(answer(forwards, "\"forwarded-D-2\"", R"("error":null,"result":[])"));
  CHECK(port.answered.empty());
}

TEST_CASE("A client with a role is named, and refused where that is not understood") {
  for (const std::string error : {R"("unknown method")", R"({"error":"permission error"})"}) {
    FakePort port;
    Forwards forwards("D", Forwards::Copy::kRelay, "forwarded-D-", 10'000, port);
    forwards.open();
    auto call = call_of(1, 1);
    call->role = "R";
    call->client_id = "c";
    forwards.forward(std::move(call));
    CHECK(port.sent ==
          std::vector{request(1, "tandem_transact",
                              R"(["D",{"client":"c","role":"R"},["D",{"op":"insert"}]])")});
    CHECK(answer(forwards, "\"forwarded-D-1\"", R"("result":null,"error":)" + error));
    REQUIRE(port.answered.size() == 1);
    CHECK(port.answered[0]->refused->tag == "permission error");
  }
}

TEST_CASE("A database that goes away cancels what was not sent") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kRelay, "forwarded-D-", 10'000, port);
  forwards.forward(call_of(1, 1));
  forwards.end("the database was removed");
  forwards.forward(call_of(1, 2));
  REQUIRE(port.answered.size() == 2);
  CHECK(port.answered[0]->canceled);
  CHECK(port.answered[1]->canceled);
}

// --- a backup's ---

namespace {

/// The active has executed the transaction with that number when it stood there.
bool executed(Forwards& forwards, int number, const std::string& height) {
  const std::string text = R"({"id":null,"method":"tandem_executed","params":["forwarded-D-)" +
                           std::to_string(number) + R"(",")" + height + R"("]})";
  return forwards.on_notification(JsonRpcMessage::from_json(parse_json(text).value()).value());
}

constexpr const char* kDone = R"("error":null,"result":[{"count":1}])";

}  // namespace

TEST_CASE("A backup gives back what comes while it knows no active server") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kBackup, "forwarded-D-", 10'000, port);
  forwards.forward(call_of(1, 1));
  CHECK(port.back.size() == 1);
  forwards.open();
  forwards.forward(call_of(1, 2));
  forwards.pause();
  forwards.forward(call_of(1, 3));
  CHECK(port.back.size() == 2);
  CHECK(port.sent == std::vector{request(1, "tandem_transact",
                                         R"(["D",{"height":true},["D",{"op":"insert"}]])")});
  CHECK(answer(forwards, "\"forwarded-D-1\"", kDone));
  REQUIRE(port.answered.size() == 1);
  CHECK(port.answered[0]->id == JsonId(2));
  forwards.end("another role");
  forwards.open();
  forwards.forward(call_of(1, 4));
  CHECK(port.back.size() == 3);
}

TEST_CASE("A backup answers when it has the records that the active server had") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kBackup, "forwarded-D-", 10'000, port);
  forwards.open();
  forwards.on_handed_on({Epoch{2}, 10});
  for (int number = 1; number <= 4; ++number) forwards.forward(call_of(1, number));
  CHECK(executed(forwards, 1, "2:10"));
  CHECK(answer(forwards, "\"forwarded-D-1\"", kDone));
  CHECK(port.answered.size() == 1);
  CHECK(executed(forwards, 2, "2:12"));
  CHECK(answer(forwards, "\"forwarded-D-2\"", kDone));
  CHECK(executed(forwards, 3, "2:11"));
  CHECK(answer(forwards, "\"forwarded-D-3\"", kDone));
  CHECK(port.answered.size() == 1);
  forwards.on_handed_on({Epoch{2}, 11});
  REQUIRE(port.answered.size() == 2);
  CHECK(port.answered[1]->id == JsonId(3));
  forwards.on_handed_on({Epoch{3}, 0});
  REQUIRE(port.answered.size() == 3);
  CHECK(port.answered[2]->id == JsonId(2));
  // A refusal tells of no height.
  CHECK(answer(forwards, "\"forwarded-D-4\"", R"("error":{"error":"e"},"result":null)"));
  REQUIRE(port.answered.size() == 4);
  CHECK(port.answered[3]->forwarded->is_error);
  CHECK_FALSE(executed(forwards, 4, "2:10"));
}

TEST_CASE("An answer whose records do not come is lost with the active server") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kBackup, "forwarded-D-", 10'000, port);
  forwards.open();
  forwards.forward(call_of(1, 1));
  forwards.forward(call_of(2, 1));
  for (const int number : {1, 2}) {
    CHECK(executed(forwards, number, "1:1"));
    CHECK(answer(forwards, "\"forwarded-D-" + std::to_string(number) + "\"", kDone));
  }
  forwards.drop(SessionId{2});
  CHECK(port.answered.empty());
  forwards.close("gone");
  REQUIRE(port.answered.size() == 1);
  CHECK(port.answered[0]->session == SessionId{1});
  CHECK(port.answered[0]->lost.find("gone") != std::string::npos);
}

TEST_CASE("An answer whose records are long overdue is lost") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kBackup, "forwarded-D-", 10'000, port);
  forwards.open();
  for (const int number : {1, 2}) {
    forwards.forward(call_of(1, number));
    CHECK(executed(forwards, number, "1:" + std::to_string(number)));
    CHECK(answer(forwards, "\"forwarded-D-" + std::to_string(number) + "\"", kDone));
  }
  forwards.tick(1000);
  forwards.tick(10'999);
  forwards.on_handed_on({Epoch{1}, 1});  // they come
  forwards.tick(11'000);
  forwards.tick(20'999);
  CHECK(port.answered.size() == 1);
  forwards.tick(21'000);
  REQUIRE(port.answered.size() == 2);
  CHECK(port.answered[1]->lost.find("does not come") != std::string::npos);
  forwards.tick(22'000);
}

TEST_CASE("A backup gives back what the active server does not take") {
  for (const std::string error : {R"("unknown method")", R"({"error":"permission error"})"}) {
    FakePort port;
    Forwards forwards("D", Forwards::Copy::kBackup, "forwarded-D-", 10'000, port);
    forwards.open();
    auto call = call_of(1, 1);
    call->role = "R";
    call->client_id = "c";
    forwards.forward(std::move(call));
    CHECK(port.sent ==
          std::vector{
              request(1, "tandem_transact",
                      R"(["D",{"client":"c","role":"R","height":true},["D",{"op":"insert"}]])")});
    CHECK(answer(forwards, "\"forwarded-D-1\"", R"("result":null,"error":)" + error));
    REQUIRE(port.back.size() == 1);
    CHECK_FALSE(port.back[0]->params.empty());
  }
}

TEST_CASE("Transactions wait for room in the connection, in their order") {
  for (const auto copy : {Forwards::Copy::kRelay, Forwards::Copy::kBackup}) {
    FakePort port;
    Forwards forwards("D", copy, "f-", 10'000, port);
    forwards.open();
    port.room = false;
    forwards.forward(call_of(1, 1));
    forwards.forward(call_of(1, 2));
    CHECK(port.sent.empty());
    forwards.cancel(SessionId{1}, JsonId(1));
    CHECK(port.answered.size() == 1);
    port.room = true;
    forwards.on_writable();
    CHECK(port.sent.size() == 1);
    port.room = false;
    forwards.forward(call_of(1, 3));
    forwards.close("gone");
    CHECK(port.back.size() == (copy == Forwards::Copy::kBackup ? 1 : 0));
  }
}

TEST_CASE("What would end the connection is refused") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kBackup, "f-", 200, port);
  forwards.open();
  const auto nested = [](std::size_t depth) {
    return R"(["D",)" + std::string(depth - 1, '[') + R"("]\"[")" + std::string(depth - 1, ']') +
           "]";
  };
  forwards.forward(call_of(1, 1, R"(["D",")" + std::string(200, 'x') + R"("])"));
  REQUIRE(port.answered.size() == 1);
  CHECK(port.answered[0]->refused->tag == "resources exhausted");
  Forwards large("D", Forwards::Copy::kBackup, "f-", 10'000, port);
  large.open();
  large.forward(call_of(1, 2, nested(999)));
  CHECK(port.answered.size() == 2);
  large.forward(call_of(1, 3, nested(998)));
  CHECK(port.answered.size() == 2);
  REQUIRE(port.sent.size() == 1);
  CHECK(parse_json(port.sent[0]).has_value());
}

TEST_CASE("Answers whose records do not come any more are lost, by a connection that stays") {
  FakePort port;
  Forwards forwards("D", Forwards::Copy::kBackup, "forwarded-D-", 10'000, port);
  forwards.open();
  forwards.forward(call_of(1, 1));
  forwards.forward(call_of(1, 2));
  CHECK(executed(forwards, 1, "1:1"));
  CHECK(answer(forwards, "\"forwarded-D-1\"", kDone));
  CHECK(port.answered.empty());
  forwards.pause();
  forwards.lose_records("no stream");
  REQUIRE(port.answered.size() == 1);
  CHECK_FALSE(port.answered[0]->lost.empty());
  CHECK(executed(forwards, 2, "1:2"));
  CHECK(answer(forwards, "\"forwarded-D-2\"", kDone));
  REQUIRE(port.answered.size() == 2);
  CHECK_FALSE(port.answered[1]->lost.empty());
}

TEST_CASE("A database that is removed and comes again takes no answer of its former one") {
  FakePort port;
  BackupForwards all(10'000, port);
  FollowerStatus follows;
  follows.state = FollowerStatus::State::kReplicating;
  follows.mode = FollowerStatus::Mode::kStream;
  const std::shared_ptr<Forwards> first = all.add("D");
  all.on_status({{"D", follows}});
  auto waits = call_of(1, 1);
  waits->wait_bytes = 1;
  first->forward(std::move(waits));
  all.remove("D");
  CHECK(port.sent.back() == make_notification("cancel", R"(["forwarded-1-1"])"));
  const std::shared_ptr<Forwards> second = all.add("D");
  all.on_status({{"D", follows}});
  second->forward(call_of(2, 1));
  port.answered.clear();
  const auto say = [&](const std::string& id) {
    const std::string text = R"({"id":)" + id + "," + kDone + "}";
    return all.on_message(JsonRpcMessage::from_json(parse_json(text).value()).value());
  };
  CHECK(say(R"("forwarded-1-1")"));
  CHECK(port.answered.empty());
  CHECK(say(R"("forwarded-2-1")"));
  CHECK(port.answered.size() == 1);
  CHECK_FALSE(say("7"));
}

}  // namespace tandem
