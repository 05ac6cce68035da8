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
  void standing(std::function<void(Standing)> told) override { told({position, {}}); }
  void holdings(std::function<void(Holdings)> told) override {
    const RowSource none = [](TableIndex, const std::function<void(const RowRef&)>&) {};
    told({RowBuckets::of(*schema_, none).to_json(*schema_), {position.digest}});
  }
  void resync_to(const Standing& to, BucketScope, std::vector<RowUpdate> rows, Done done) override {
    log +=
        "resync_to:" + std::to_string(to.position.index) + ':' + std::to_string(rows.size()) + ' ';
    outcomes.push_back(std::move(done));
  }
  void append(StreamRecord record, Appended done) override {
    log += "append:" + std::to_string(record.position.index) + ' ';
    outcomes.push_back([this, done](const Result<void>& outcome) { done(outcome, more); });
  }
  void make_durable(Done done) override {
    if (syncs_at_once) return done({});
    log += "sync ";
    syncs.push_back(std::move(done));
  }
  void set_aside(const Fork& fork, std::function<void(Result<Aside>)> done) override {
    log += "aside:" + (fork.common ? std::to_string(*fork.common) : std::string("all")) + ' ';
    done(Aside{"db.diverged", 3});
  }
  const std::string& file() const override { return name; }
  bool adopts_schemas() const override { return adopts; }
  void adopt(SchemaRef, Done) override { log += "adopt "; }

  void finish(const Result<void>& outcome) {
    Done done = std::move(outcomes.front());
    outcomes.pop_front();
    done(outcome);
  }

  std::string log;
  const std::string name = "/db";
  std::deque<Done> outcomes;
  Position position{Epoch{1}, 5, Uuid{0, 5}};
  bool syncs_at_once = true;
  std::deque<Done> syncs;
  bool adopts = false;
  bool more = false;

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
  void log_warn(const std::string& text) override { warned.push_back(text); }
  void log_finding(const std::string&, const std::string& finding) override {
    logged.push_back(finding);
  }

  std::deque<std::string> sent;
  std::vector<std::string> restarts;
  std::vector<std::string> logged;
  std::vector<std::string> warned;
  std::int64_t now = 1000;
};

struct Backup {
  explicit Backup(Epoch least_epoch = {}) : link({own_id, "host", least_epoch}, port) {
    link.add("db", replica);
  }

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
  void notify(const std::string& method, const std::string& params) {
    link.on_message(JsonRpcMessage::from_json(parse_json(R"({"id":null,"method":")" + method +
                                                         R"(","params":["db")" + params + "]}")
                                                  .value())
                        .value());
  }
  void notify(const std::string& updates) { notify("update", ',' + updates); }
  /// An active that is no Tandem.
  void reach_monitor() {
    reach_contents();
    CHECK(answer("error", R"("unknown method")") == "tandem_follow");
  }
  void reach_stream(const std::string& reply) {
    reach_contents();
    CHECK(answer("result", reply) == "tandem_follow");
  }
  /// The oldest text that was sent; it needs no answer.
  std::string take_sent() {
    REQUIRE_FALSE(port.sent.empty());
    std::string text = std::move(port.sent.front());
    port.sent.pop_front();
    return text;
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
  ActiveLink link;
};

const char* const kOneRow = R"({"t":{"11111111-1111-4111-8111-111111111111":{"new":{"n":1}}}})";
const char* const kChange =
    R"({"t":{"11111111-1111-4111-8111-111111111111":{"old":{"n":1},"new":{"n":2}}}})";

TEST_CASE(
    "a backup asks who the active is, what it serves, its schema and its contents, and then "
    "replicates") {
  Backup backup;
  backup.reach_monitor();
  CHECK(backup.status().mode == FollowerStatus::Mode::kMonitor);
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
  backup.reach_monitor();
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
  backup.reach_monitor();
  backup.answer("result", kOneRow);
  backup.replica.finish({});
  backup.notify(kChange);
  backup.replica.finish(Error{"consistency violation", "change of unknown row", std::nullopt});
  CHECK(backup.port.restarts.size() == 1);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
}

TEST_CASE("an outcome of an earlier connection changes nothing in the next") {
  Backup backup;
  backup.reach_monitor();
  backup.answer("result", kOneRow);
  backup.link.on_disconnected("connection reset");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kConnecting);
  CHECK(backup.status().error == "connection reset");
}

std::string at(int index) {
  return to_text(Position{Epoch{1}, static_cast<std::uint64_t>(index),
                          Uuid{0, static_cast<std::uint64_t>(index)}}
                     .to_json());
}
std::string record(int index) { return R"(,{"record":"{}","position":)" + at(index) + '}'; }
std::string resume(int newest) { return R"({"mode":"resume","position":)" + at(newest) + '}'; }
std::string compare(int newest) { return R"({"mode":"compare","position":)" + at(newest) + '}'; }
std::string rows(int position, int count, const std::string& more) {
  return R"({"mode":"rows","position":)" + at(position) + R"(,"rows":)" + std::to_string(count) +
         R"(,"buckets":{"t":[1,[0]]},"oldest":)" + more + '}';
}

const char* const kRow = R"(,{"t":{"11111111-1111-4111-8111-111111111111":{"initial":{"n":1}}}})";

TEST_CASE(
    "a backup that is in the active's history resumes, and acknowledges what it has written") {
  Backup backup;
  backup.reach_stream(resume(6));
  CHECK(backup.status().state == FollowerStatus::State::kReplicating);
  CHECK(backup.status().mode == FollowerStatus::Mode::kStream);
  CHECK(backup.take_sent().find("tandem_ack") != std::string::npos);
  backup.notify("tandem_record", record(6));
  CHECK(backup.port.sent.empty());
  CHECK(backup.status().lag_records() == 1);
  backup.port.now += 30;
  CHECK(backup.status().lag_ms(backup.port.now) == 30);
  backup.replica.finish({});
  CHECK(backup.take_sent().find(at(6)) != std::string::npos);
  CHECK(backup.status().lag_records() == 0);
  CHECK(backup.status().lag_ms(backup.port.now) == 0);
}

TEST_CASE("what the active's clients want durable is acknowledged when it is on the disk") {
  Backup backup;
  backup.replica.syncs_at_once = false;
  backup.reach_stream(resume(6));
  CHECK(backup.replica.log == "sync ");
  CHECK(backup.port.sent.empty());
  backup.replica.syncs.front()({});
  CHECK(backup.take_sent().find(at(5)) != std::string::npos);
  backup.notify("tandem_record", R"(,{"record":"{}","durable":true,"position":)" + at(6) + '}');
  backup.notify("tandem_record", record(7));
  backup.replica.finish({});
  CHECK(backup.replica.log == "sync append:6 append:7 sync ");
  backup.replica.finish({});
  CHECK(backup.port.sent.empty());
  backup.replica.syncs.back()({});
  CHECK(backup.take_sent().find(at(6)) != std::string::npos);
  CHECK(backup.take_sent().find(at(7)) != std::string::npos);
}

TEST_CASE("a backup that cannot sync its log acknowledges nothing") {
  Backup backup;
  backup.replica.syncs_at_once = false;
  backup.reach_stream(resume(6));
  backup.replica.syncs.front()(Error{"I/O error", "sync failed", std::nullopt});
  CHECK(backup.port.sent.empty());
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.port.restarts.size() == 1);
}

TEST_CASE("records of one log write are acknowledged together") {
  Backup backup;
  backup.reach_stream(resume(7));
  backup.take_sent();
  backup.notify("tandem_record", record(6));
  backup.notify("tandem_record", record(7));
  backup.replica.more = true;
  backup.replica.finish({});
  backup.replica.more = false;
  backup.replica.finish({});
  CHECK(backup.take_sent().find(at(7)) != std::string::npos);
  CHECK(backup.port.sent.empty());
}

TEST_CASE("a backup too far behind gets the rows that differ, and then what came meanwhile") {
  Backup backup;
  backup.reach_stream(compare(90));
  CHECK(backup.answer("result", rows(90, 1, at(50))) == "tandem_follow");
  backup.notify("tandem_record", record(91));
  CHECK(backup.replica.log.empty());
  backup.notify("tandem_rows", kRow);
  CHECK(backup.status().rows == 1);
  CHECK(backup.replica.log == "resync_to:90:1 ");
  backup.replica.finish({});
  CHECK(backup.replica.log == "resync_to:90:1 append:91 ");
  CHECK(backup.status().divergences == 0);
}

TEST_CASE("a backup does not take over the older copy of another backup, but waits for it") {
  Backup backup;
  backup.reach_stream(R"({"mode":"compare","backup":true,"position":)" + at(4) + '}');
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.replica.log.empty());
  CHECK(backup.port.sent.empty());
  backup.port.now += 500;
  backup.link.tick();
  CHECK(backup.answer("result", kSchema) == "get_schema");
  CHECK(backup.answer("result", resume(5)) == "tandem_follow");
  CHECK(backup.status().state == FollowerStatus::State::kReplicating);
}

TEST_CASE("a backup that knows of a later promotion takes nothing from a former active") {
  Backup backup(Epoch{2});
  backup.reach_stream(resume(6));
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  backup.notify("tandem_record", record(6));
  CHECK(backup.replica.log.empty());
  CHECK(backup.port.sent.empty());
}

TEST_CASE(
    "records that the active does not have are set aside before its contents are taken over") {
  Backup backup;
  backup.reach_stream(compare(4));
  CHECK(backup.answer("result", rows(4, 0, at(1) + R"(,"common":)" + at(2))) == "tandem_follow");
  CHECK(backup.replica.log == "aside:2 resync_to:4:0 ");
  CHECK(backup.port.warned.size() == 1);
  CHECK(backup.status().divergences == 1);
  CHECK(backup.status().records_aside == 3);
}

TEST_CASE("a position that the active should know but does not has diverged") {
  Backup backup;
  backup.reach_stream(compare(9));
  backup.answer("result", rows(9, 0, at(1)));
  CHECK(backup.replica.log == "aside:all resync_to:9:0 ");
}

TEST_CASE("a backup that has never held anything has nothing to set aside") {
  Backup backup;
  backup.replica.position = {Epoch{0}, 0, Uuid{7, 7}};
  backup.reach_stream(compare(9));
  backup.answer("result", rows(9, 0, at(0)));
  CHECK(backup.replica.log == "resync_to:9:0 ");
}

TEST_CASE("a record that does not lead where it should starts over on a new connection") {
  Backup backup;
  backup.reach_stream(resume(6));
  backup.notify("tandem_record", record(6));
  backup.replica.finish(Error{"diverged", "a record leads elsewhere", std::nullopt});
  CHECK(backup.port.restarts.size() == 1);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
}

TEST_CASE(
    "a backup that lost the thread asks anew on the same connection, and drops late outcomes") {
  Backup backup;
  backup.reach_stream(resume(6));
  backup.take_sent();
  backup.notify("tandem_record", record(6));
  backup.notify("tandem_lost", "");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kNegotiating);
  CHECK(backup.answer("result", kSchema) == "get_schema");
  backup.notify("tandem_record", record(7));
  CHECK(backup.replica.log == "append:6 ");
  CHECK(backup.answer("result", resume(7)) == "tandem_follow");
}

TEST_CASE("a silent active makes the backup stale until it is heard again") {
  Backup backup;
  backup.reach_stream(resume(5));
  backup.take_sent();
  backup.link.tick();
  backup.port.now += 3000;
  backup.link.tick();
  CHECK(backup.status().stale);
  CHECK(backup.answer("result", at(8)) == "tandem_ack");
  CHECK_FALSE(backup.status().stale);
  CHECK(backup.status().lag_records() == 3);
}

TEST_CASE("what an earlier attempt acknowledged is not said again in the next") {
  Backup backup;
  backup.reach_stream(R"({"mode":"resume","position":)" + at(5) + '}');
  CHECK(backup.take_sent().find(at(5)) != std::string::npos);
  backup.replica.syncs_at_once = false;
  backup.notify("tandem_lost", "");
  CHECK(backup.answer("result", kSchema) == "get_schema");
  CHECK(backup.answer("result", R"({"mode":"resume","position":)" + at(5) + '}') ==
        "tandem_follow");
  backup.port.now += 1500;
  backup.link.tick();
  CHECK(backup.take_sent().find(R"("echo")") != std::string::npos);
}

TEST_CASE("a reply to what was given up changes nothing") {
  Backup backup;
  backup.reach_contents();
  const std::string asked = backup.take_sent();
  REQUIRE(asked.find("tandem_follow") != std::string::npos);
  backup.notify("tandem_lost", "");  // not yet by the stream: no meaning
  backup.link.on_disconnected("");
  CHECK(backup.status().state == FollowerStatus::State::kConnecting);

  backup.reach_stream(R"({"mode":"compare","position":)" + at(9) + '}');
  const std::string compared = backup.take_sent();
  backup.notify("tandem_lost", "");
  backup.port.sent.push_front(compared);  // its answer comes late
  CHECK(backup.answer("result", R"({"mode":"rows","position":)" + at(9) +
                                    R"(,"rows":0,"buckets":{},"epochs":[],"oldest":)" + at(9) +
                                    '}') == "tandem_follow");
  CHECK(backup.status().state == FollowerStatus::State::kNegotiating);
  CHECK(backup.answer("result", kSchema) == "get_schema");
}

TEST_CASE("an attempt that does not come forward is given up") {
  Backup backup;
  backup.reach_contents();
  backup.port.now += 200'000;
  backup.link.tick();
  CHECK(backup.port.restarts.empty());
  backup.port.now += 200'000;
  backup.link.tick();
  CHECK(backup.port.restarts.size() == 1);
}

TEST_CASE("what fails again and again waits ever longer for its next connection") {
  Backup backup;
  std::vector<std::int64_t> waits_ms;
  for (std::size_t failure = 1; failure <= 9; ++failure) {
    backup.reach_monitor();
    CHECK(backup.answer("result", kOneRow) == "monitor");
    backup.replica.finish(Error{"I/O error", "no space", std::nullopt});
    CHECK(backup.status().state == FollowerStatus::State::kRefused);
    const std::int64_t began = backup.port.now;
    while (backup.port.restarts.size() < failure) {
      backup.port.now += 100;
      backup.link.tick();
    }
    waits_ms.push_back(backup.port.now - began);
    backup.link.on_disconnected("I/O error: no space");
  }
  CHECK(waits_ms == std::vector<std::int64_t>{0, 0, 400, 800, 1600, 3200, 5000, 5000, 5000});
  CHECK(backup.port.sent.empty());
}

TEST_CASE("a database that goes is not monitored any more") {
  Backup backup;
  backup.reach_monitor();
  CHECK(backup.answer("result", kOneRow) == "monitor");
  backup.link.remove("db");
  CHECK(backup.take_sent().find("monitor_cancel") != std::string::npos);
}

TEST_CASE("with leave to do so a backup takes over a schema that has more") {
  Backup backup;
  backup.replica.adopts = true;
  backup.reach_contents(
      R"({"name":"db","version":"1.1.0","tables":{"t":{"columns":{"m":{"type":"integer"},"n":{"type":"integer"}}}}})");
  CHECK(backup.replica.log == "adopt ");
}

}  // namespace
}  // namespace tandem
