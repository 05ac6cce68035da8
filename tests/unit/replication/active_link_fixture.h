#pragma once

#include <catch2/catch.hpp>
#include <deque>

#include "protocol/json/json_reader.h"
#include "replication/active_link.h"

/// An active link whose replica, port and active are the test's.
namespace tandem::active_link_test {

inline const char* const kSchema =
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
    Holdings holdings{"", {position.digest}};
    RowBuckets::of(*schema_, none).append_json(holdings.buckets, *schema_);
    told(std::move(holdings));
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
  void caught_up(Done done) override {
    ++times_caught_up;
    done(caught_up_outcome);
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
  int times_caught_up = 0;
  Result<void> caught_up_outcome;
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
  explicit Backup(Epoch least_epoch = {}) : link({own_id, "host", "", least_epoch}, port) {
    link.add("db", replica);
  }

  /// The method of the oldest request that was not answered yet; answers it.
  std::string answer(const std::string& member, const std::string& json) {
    REQUIRE_FALSE(port.sent.empty());
    const auto request = JsonRpcMessage::from_json(parse_json(port.sent.front()).value()).value();
    port.sent.pop_front();
    const std::string reply =
        member == "error" ? make_error_reply(request.id, json) : make_reply(request.id, json);
    link.on_message(JsonRpcMessage::from_json(parse_json(reply).value()).value());
    return std::string(request.method);
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

inline const char* const kOneRow =
    R"({"t":{"11111111-1111-4111-8111-111111111111":{"new":{"n":1}}}})";
inline const char* const kChange =
    R"({"t":{"11111111-1111-4111-8111-111111111111":{"old":{"n":1},"new":{"n":2}}}})";

// What an active says.

inline std::string at(int index, std::uint64_t epoch = 1) {
  return to_text(Position{Epoch{epoch}, static_cast<std::uint64_t>(index),
                          Uuid{0, static_cast<std::uint64_t>(index)}});
}
inline std::string record(int index, std::uint64_t epoch = 1) {
  return R"(,{"record":"{}","position":)" + at(index, epoch) + '}';
}
inline std::string resume(int newest) {
  return R"({"mode":"resume","position":)" + at(newest) + '}';
}
inline std::string compare(int newest) {
  return R"({"mode":"compare","position":)" + at(newest) + '}';
}
inline std::string rows(int position, int count, const std::string& more) {
  return R"({"mode":"rows","position":)" + at(position) + R"(,"rows":)" + std::to_string(count) +
         R"(,"buckets":{"t":[1,[0]]},"oldest":)" + more + '}';
}

inline const char* const kRow =
    R"(,{"t":{"11111111-1111-4111-8111-111111111111":{"initial":{"n":1}}}})";

}  // namespace tandem::active_link_test
