#include "server/session/monitor_hub.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/server/database/engine.h"
#include "tests/unit/server/session/fake_connection.h"

namespace tandem {
namespace {

using Texts = std::vector<std::string>;

/// A database with one table, whose commits go to a hub with two clients.
class Hub {
 public:
  Hub()
      : engine(R"({"name": "D", "tables": {
          "T": {"columns": {"n": {"type": "integer"}, "s": {"type": "string"}}, "isRoot": true}}})"),
        info(std::make_shared<const DatabaseInfo>(DatabaseInfo{"D", 1, engine.database.schema()})) {
  }

  template <class... Operations>
  void transact(const Operations&... operations) {
    engine.transact(operations...);
    if (engine.outcome.commit) hub.on_commit(*info, *engine.outcome.commit);
  }
  void insert(int id, int n, const char* s = "x") {
    transact(R"({"op":"insert","table":"T","uuid":")" + uuid(id) + R"(","row":{"n":)" +
             std::to_string(n) + R"(,"s":")" + s + "\"}}");
  }
  void set(int id, int n) { update(id, R"("n":)" + std::to_string(n)); }
  void update(int id, const std::string& columns) {
    transact(R"({"op":"update","table":"T","where":)" + is(id) + R"(,"row":{)" + columns + "}}");
  }
  void remove(int id) { transact(R"({"op":"delete","table":"T","where":)" + is(id) + "}"); }

  MonitorStart now() const {
    MonitorStart start;
    start.database = info;
    start.snapshot = engine.database.snapshot();
    return start;
  }
  MonitorRequest request(const std::string& text,
                         MonitorVersion version = MonitorVersion::kUpdate2) const {
    auto read = MonitorRequest::from_json(info->schema, version, *parse_json(text));
    INFO((read ? std::string() : read.error().to_string()));
    REQUIRE(read.has_value());
    return *read;
  }
  std::string add(FakeConnection& client, const std::string& requests, const char* id = "m") {
    requested.insert_or_assign(&client, request(requests));
    return first_answer(client, id, requested.at(&client), now());
  }
  /// Starts a monitor and takes its reply.
  std::string first_answer(FakeConnection& client, const char* id, MonitorRequest request,
                           MonitorStart start) {
    numbers[&client] = MonitorNumber{++last_number};
    hub.add(client, numbers[&client], id, 7,
            std::make_shared<const MonitorRequest>(std::move(request)), std::move(start));
    std::string answer;
    for (const std::string& piece : client.take()) answer += piece;
    return answer;
  }
  void change(FakeConnection& client, const std::string& conditions) {
    MonitorRequest& asked = requested.at(&client);
    const auto changed = asked.with_conditions(*parse_json(conditions));
    REQUIRE(changed.has_value());
    asked = *changed;
    REQUIRE(hub.change(client, numbers.at(&client), "m",
                       std::make_shared<const MonitorRequest>(asked), now()));
  }

  Engine engine;
  DatabaseInfoRef info;
  FakeShard shard;
  FakeConnection client{shard}, other{shard};
  MonitorHub hub;
  std::map<FakeConnection*, MonitorRequest> requested;  ///< what each asked for last
  std::map<FakeConnection*, MonitorNumber> numbers;     ///< of the monitor that each made last
  std::uint64_t last_number = 0;

 private:
  static std::string is(int id) { return R"([["_uuid","==",)" + ref(id) + "]]"; }
};

std::string update2(const std::string& rows) {
  return R"({"method":"update2","id":null,"params":["m",{"T":{)" + rows + "}}]}";
}
std::string row(int id, const std::string& change) {
  return '"' + uuid(id) + "\":{" + change + '}';
}

TEST_CASE_METHOD(Hub, "monitors that ask for the same share one text") {
  add(client, R"({"T":{"columns":["n"]}})");
  add(other, R"({"T":{"columns":["n"]}})");
  insert(1, 5);
  REQUIRE(client.sent().size() == 1);
  REQUIRE(other.sent().size() == 1);
  CHECK(client.sent().front() == other.sent().front());
  CHECK(client.take() == Texts{update2(row(1, R"("insert":{"n":5})"))});
}

TEST_CASE_METHOD(Hub, "a row that starts or ceases to match comes and goes") {
  add(client, R"({"T":{"columns":["n"],"where":[["n","==",1]]}})");
  insert(1, 0);
  CHECK(client.take().empty());
  set(1, 1);
  CHECK(client.take() == Texts{update2(row(1, R"("insert":{"n":1})"))});
  set(1, 2);
  CHECK(client.take() == Texts{update2(row(1, R"("delete":null)"))});
}

TEST_CASE_METHOD(Hub, "changes of columns that are not monitored are not sent") {
  insert(1, 5);
  add(client, R"({"T":{"columns":["n"]}})");
  update(1, R"("s":"y")");
  CHECK(client.take().empty());
}

TEST_CASE_METHOD(Hub, "a client whose socket is full gets one net change when it drains") {
  insert(1, 1);
  insert(2, 2);
  add(client, R"({"T":{"columns":["n"]}})");
  client.queued = std::size_t{64} << 20;
  set(1, 10);
  set(1, 11);
  remove(2);
  insert(3, 3);
  remove(3);
  CHECK(client.take().empty());
  client.queued = 0;
  hub.on_writable(client);
  const Texts texts = client.take();
  REQUIRE(texts.size() == 1);
  CHECK_THAT(texts[0], Catch::Contains(row(1, R"("modify":{"n":11})")) &&
                           Catch::Contains(row(2, R"("delete":null)")));
  CHECK_THAT(texts[0], !Catch::Contains(uuid(3)));
  set(1, 12);
  CHECK(client.take() == Texts{update2(row(1, R"("modify":{"n":12})"))});
}

TEST_CASE_METHOD(Hub, "what a slow client missed is told under the conditions of then") {
  insert(1, 1);
  add(client, R"({"T":{"columns":["n"],"where":[["n","==",1]]}})");
  client.queued = std::size_t{64} << 20;
  set(1, 2);
  change(client, R"({"T":[{"where":[["n","==",2]]}]})");
  // Gone under the old conditions, back under the new ones: two updates, in that order.
  CHECK(client.take() ==
        Texts{update2(row(1, R"("delete":null)")), update2(row(1, R"("insert":{"n":2})"))});
}

TEST_CASE_METHOD(Hub, "a change of conditions sends what comes and what goes, and nothing else") {
  insert(1, 1);
  insert(2, 2);
  insert(3, 3);
  add(client, R"({"T":{"columns":["n"],"where":[["n","==",1],["n","==",2]]}})");
  change(client, R"({"T":[{"where":[["n","==",2],["n","==",3]]}]})");
  const Texts texts = client.take();
  REQUIRE(texts.size() == 1);
  CHECK_THAT(texts[0], Catch::Contains(row(1, R"("delete":null)")) &&
                           Catch::Contains(row(3, R"("insert":{"n":3})")));
  CHECK_THAT(texts[0], !Catch::Contains(uuid(2)));
  change(client, R"({"T":[{"where":[["n","==",3],["n","==",2]]}]})");
  CHECK(client.take().empty());
}

TEST_CASE_METHOD(Hub, "whoever resumes is told the net of what it missed") {
  insert(1, 1);
  std::vector<CommitRef> missed;
  const auto keep = [&] { missed.push_back(engine.outcome.commit); };
  set(1, 2);
  keep();
  insert(2, 7);
  keep();
  set(1, 3);
  keep();
  MonitorStart start = now();
  start.since = missed;
  start.last_id = Uuid{1, 2};
  const std::string result = first_answer(
      client, "m", request(R"({"T":{"columns":["n"]}})", MonitorVersion::kUpdate3), start);
  CHECK_THAT(result, Catch::StartsWith(R"({"error":null,"id":7,"result":[true,")" +
                                       Uuid{1, 2}.to_string() + "\","));
  CHECK_THAT(result, Catch::Contains(row(1, R"("modify":{"n":3})")) &&
                         Catch::Contains(row(2, R"("insert":{"n":7})")));
}

TEST_CASE_METHOD(Hub, "monitors of a database that goes are canceled, each by its own id") {
  add(client, R"({"T":{}})", "one");
  add(client, R"({"T":{}})", "two");
  hub.remove_database(*info);
  CHECK(client.take() == Texts{R"({"method":"monitor_canceled","id":null,"params":["one"]})",
                               R"({"method":"monitor_canceled","id":null,"params":["two"]})"});
  CHECK(hub.size() == 0);
}

TEST_CASE_METHOD(Hub, "nothing is sent to a session that has gone or canceled") {
  add(client, R"({"T":{}})");
  add(other, R"({"T":{}})");
  CHECK(hub.cancel(client, numbers.at(&client)));
  CHECK_FALSE(hub.cancel(client, numbers.at(&client)));
  hub.remove_session(other);
  insert(1, 1);
  CHECK(client.take().empty());
  CHECK(other.take().empty());
  CHECK(hub.size() == 0);
}

TEST_CASE_METHOD(Hub, "a monitor that starts while its session is behind hears nothing twice") {
  insert(1, 1);
  add(client, R"({"T":{"columns":["n"]}})", "old");
  client.queued = 1;
  set(1, 2);
  insert(2, 5);
  add(client, R"({"T":{"columns":["s"]}})", "new");
  client.queued = 0;
  hub.on_writable(client);
  CHECK(client.take().empty());  // the backlog before the first answer had it
  set(1, 3);
  const Texts texts = client.take();
  REQUIRE(texts.size() == 1);
  CHECK_THAT(texts[0], Catch::Contains(R"(["old",)"));
}

TEST_CASE_METHOD(Hub, "monitors of a group share the text of what their session missed") {
  for (const char* id : {"a", "b", "c"}) add(client, R"({"T":{"columns":["n"]}})", id);
  add(client, R"({"T":{"columns":["s"]}})", "d");
  client.queued = 1;
  insert(1, 1);
  set(1, 2);
  client.queued = 0;
  hub.on_writable(client);
  std::map<SharedText, int> times;
  std::string all;
  for (const SharedText& piece : client.pieces()) ++times[piece];
  for (const std::string& text : client.take()) all += text;
  CHECK(
      std::any_of(times.begin(), times.end(), [](const auto& entry) { return entry.second == 3; }));
  for (const std::string id : {"a", "b", "c"})
    CHECK_THAT(all, Catch::Contains("[\"" + id + R"(",{"T":{)" + row(1, R"("insert":{"n":2})")));
  CHECK_THAT(all, Catch::Contains(R"(["d",{"T":{)" + row(1, R"("insert":{"s":"x"})")));
}

TEST_CASE_METHOD(Hub,
                 "sessions that fell behind at different times are each told what they missed") {
  FakeConnection third(shard);
  for (FakeConnection* each : {&client, &other, &third}) add(*each, R"({"T":{"columns":["n"]}})");
  insert(1, 1);
  insert(2, 1);
  for (FakeConnection* each : {&client, &other, &third}) each->take();
  client.queued = 1;
  set(1, 2);
  other.queued = 1;
  set(2, 2);
  third.queued = 1;
  set(1, 3);
  other.queued = 0;
  hub.on_writable(other);
  CHECK_THAT(other.take().back(), Catch::Contains(row(1, R"("modify":{"n":3})")) &&
                                      Catch::Contains(row(2, R"("modify":{"n":2})")));
  remove(1);
  client.queued = 0;
  hub.on_writable(client);
  CHECK_THAT(client.take().back(), Catch::Contains(row(1, R"("delete":null)")) &&
                                       Catch::Contains(row(2, R"("modify":{"n":2})")));
  third.queued = 0;
  hub.on_writable(third);
  CHECK_THAT(third.take().back(),
             Catch::Contains(row(1, R"("delete":null)")) && !Catch::Contains(uuid(2)));
}

TEST_CASE_METHOD(Hub, "a session with many monitors goes in several tasks, and hears nothing") {
  const auto monitored = std::make_shared<const MonitorRequest>(request(R"({"T":{}})"));
  for (std::uint64_t i = 1; i <= 2500; ++i)
    hub.add(client, MonitorNumber{i}, "m", 1, monitored, now());
  client.take();
  hub.remove_session(client);
  CHECK(hub.size() == 1500);
  insert(1, 1);
  CHECK(client.take().empty());
  shard.run();
  CHECK(hub.size() == 0);
}

TEST_CASE_METHOD(Hub, "ordered comparisons, however many, concern who has a bound that is passed") {
  std::string where;
  for (int i = 100; i < 400; ++i)
    where += (where.empty() ? "" : ",") + (R"(["n",">=",)" + std::to_string(i) + "]");
  add(client, R"({"T":{"columns":["n"],"where":[)" + where + "]}}");
  add(other, R"({"T":{"columns":["n"],"where":[["n","<",5]]}})");
  insert(1, 50);
  CHECK(client.take().empty());
  CHECK(other.take().empty());
  set(1, 100);
  CHECK(client.take() == Texts{update2(row(1, R"("insert":{"n":100})"))});
  set(1, 4);
  CHECK(client.take() == Texts{update2(row(1, R"("delete":null)"))});
  CHECK(other.take() == Texts{update2(row(1, R"("insert":{"n":4})"))});
}

}  // namespace
}  // namespace tandem
