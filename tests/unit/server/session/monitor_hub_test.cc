#include "tests/unit/server/session/monitor_hub_fixture.h"

namespace tandem {
namespace {

using namespace monitor_hub_test;

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
  std::string told;
  for (const std::string& text : client.take()) told += text;
  CHECK_THAT(told, Catch::Contains(R"({"method":"monitor_canceled","id":null,"params":["one"]})"));
  CHECK_THAT(told, Catch::Contains(R"({"method":"monitor_canceled","id":null,"params":["two"]})"));
  shard.run();
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

TEST_CASE_METHOD(Hub,
                 "the monitors of a database that goes are told of it, and go in several tasks") {
  const auto monitored = std::make_shared<const MonitorRequest>(request(R"({"T":{}})"));
  for (std::uint64_t i = 1; i <= 2500; ++i)
    hub.add(client, MonitorNumber{i}, JsonId::of_string("m"), JsonId(1), monitored, now());
  for (std::uint64_t i = 1; i <= 10; ++i)
    hub.add(other, MonitorNumber{i}, JsonId::of_string("m"), JsonId(1), monitored, now());
  client.take();
  other.take();
  client.queued = 1;
  insert(1, 1);
  hub.remove_database(*info);
  CHECK(hub.size() == 2510);
  const Texts told = client.take();
  REQUIRE(told.size() == 1);
  const std::string canceled = R"({"method":"monitor_canceled","id":null,"params":["m"]})";
  CHECK(told[0].size() == 2500 * canceled.size());
  CHECK_THAT(told[0], Catch::StartsWith(canceled + canceled) && Catch::EndsWith(canceled));
  client.queued = 0;
  hub.on_writable(client);
  CHECK(client.take().empty());
  hub.remove_session(client);
  CHECK(hub.size() == 1510);
  shard.run();
  CHECK(hub.size() == 0);
}

TEST_CASE_METHOD(Hub, "a session with many monitors goes in several tasks, and hears nothing") {
  const auto monitored = std::make_shared<const MonitorRequest>(request(R"({"T":{}})"));
  for (std::uint64_t i = 1; i <= 2500; ++i)
    hub.add(client, MonitorNumber{i}, JsonId::of_string("m"), JsonId(1), monitored, now());
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
