#include "replication/active_link.h"

#include <catch2/catch.hpp>
#include <deque>

#include "protocol/json_parser.h"

namespace tandem {
namespace {

const char* const kSchema =
    R"({"name":"db","version":"1.0.0","tables":{"t":{"columns":{"n":{"type":"integer"}}}}})";

class FakeReplica final : public Replica {
 public:
  const SchemaRef& schema() const override { return schema_; }
  bool excluded(TableIndex) const override { return false; }
  void resync(std::vector<RowUpdate> rows, Done done) override {
    log += "resync:" + std::to_string(rows.size()) + ' ';
    outcomes.push_back(std::move(done));
  }
  void apply(std::vector<RowUpdate> updates, Done done) override {
    log += "apply:" + std::to_string(updates.size()) + ' ';
    outcomes.push_back(std::move(done));
  }
  void finish(const Result<void>& outcome) {
    Done done = std::move(outcomes.front());
    outcomes.pop_front();
    done(outcome);
  }

  std::string log;
  std::deque<Done> outcomes;

 private:
  SchemaRef schema_ = DatabaseSchema::from_text(kSchema).value();
};

class FakePort final : public ActiveLinkPort {
 public:
  void send(std::string text) override { sent.push_back(std::move(text)); }
  void restart(const std::string& reason) override { restarts.push_back(reason); }
  std::int64_t monotonic_ms() const override { return now; }
  void changed() override {}
  void log_info(const std::string& text) override { logged.push_back(text); }

  std::deque<std::string> sent;
  std::vector<std::string> restarts;
  std::vector<std::string> logged;
  std::int64_t now = 1000;
};

struct Backup {
  Backup() { link.add("db", replica); }

  /// The method of the oldest request that was not answered yet; answers it.
  std::string answer(const std::string& member, const std::string& json) {
    REQUIRE_FALSE(port.sent.empty());
    const json::object request = parse_json(port.sent.front()).value().as_object();
    port.sent.pop_front();
    json::object reply{{"id", request.at("id")}, {"result", nullptr}, {"error", nullptr}};
    reply[member] = parse_json(json).value();
    link.on_message(JsonRpcMessage::from_json(reply).value());
    return std::string(request.at("method").as_string());
  }
  void notify(const std::string& updates) {
    link.on_message(
        JsonRpcMessage::from_json(
            parse_json(R"({"id":null,"method":"update","params":["db",)" + updates + "]}").value())
            .value());
  }
  void reach_contents(const std::string& schema = kSchema) {
    link.on_connected();
    CHECK(answer("result", R"("00000000-0000-4000-8000-000000000001")") == "get_server_id");
    CHECK(answer("result", R"(["_Server","db"])") == "list_dbs");
    CHECK(answer("result", schema) == "get_schema");
  }
  FollowerStatus status() { return link.status().at("db"); }

  FakeReplica replica;
  FakePort port;
  Uuid own_id = Uuid::random();
  ActiveLink link{own_id, port};
};

const char* const kOneRow = R"({"t":{"11111111-1111-4111-8111-111111111111":{"new":{"n":1}}}})";
const char* const kChange =
    R"({"t":{"11111111-1111-4111-8111-111111111111":{"old":{"n":1},"new":{"n":2}}}})";

TEST_CASE(
    "a backup asks who the active is, what it serves, its schema and its contents, and then "
    "replicates") {
  Backup backup;
  backup.reach_contents();
  CHECK(backup.status().state == FollowerStatus::State::kResyncing);
  CHECK(backup.answer("result", kOneRow) == "monitor");
  CHECK(backup.replica.log == "resync:1 ");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kReplicating);
  backup.notify(kChange);
  backup.replica.finish({});
  CHECK(backup.replica.log == "resync:1 apply:1 ");
  CHECK(backup.status().commits == 1);
}

TEST_CASE("updates that come while the contents are compared are applied after them") {
  Backup backup;
  backup.reach_contents();
  backup.answer("result", kOneRow);
  backup.notify(kChange);
  CHECK(backup.replica.log == "resync:1 ");
  backup.replica.finish({});
  CHECK(backup.replica.log == "resync:1 apply:1 ");
}

TEST_CASE("a backup that finds itself at the other end stays a backup and says so") {
  Backup backup;
  backup.link.on_connected();
  backup.answer("result", '"' + backup.own_id.to_string() + '"');
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error == "Self replicating is not allowed");
  CHECK(backup.port.sent.empty());
}

TEST_CASE(
    "an active with a column that the backup has not is refused, logged once, and asked again "
    "later") {
  Backup backup;
  const std::string wider =
      R"({"name":"db","version":"1.1.0","tables":{"t":{"columns":{"m":{"type":"integer"},"n":{"type":"integer"}}}}})";
  backup.reach_contents(wider);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error.find("column t.m") != std::string::npos);
  const std::size_t logged = backup.port.logged.size();
  backup.link.tick();
  CHECK(backup.port.sent.empty());
  backup.port.now += 10'000;
  backup.link.tick();
  CHECK(backup.answer("result", wider) == "get_schema");
  CHECK(backup.port.logged.size() - logged <= 1);
}

TEST_CASE("an error reply of the active is shown") {
  Backup backup;
  backup.link.on_connected();
  backup.answer("result", R"("00000000-0000-4000-8000-000000000001")");
  backup.answer("result", R"(["db"])");
  backup.answer("error", R"({"error":"resources exhausted"})");
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error.find("resources exhausted") != std::string::npos);
}

TEST_CASE("an update that does not fit what is held starts over on a new connection") {
  Backup backup;
  backup.reach_contents();
  backup.answer("result", kOneRow);
  backup.replica.finish({});
  backup.notify(kChange);
  backup.replica.finish(Error{"consistency violation", "change of unknown row", std::nullopt});
  CHECK(backup.port.restarts.size() == 1);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
}

TEST_CASE("an outcome of an earlier connection changes nothing in the next") {
  Backup backup;
  backup.reach_contents();
  backup.answer("result", kOneRow);
  backup.link.on_disconnected("connection reset");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kConnecting);
  CHECK(backup.status().error == "connection reset");
}

}  // namespace
}  // namespace tandem
