// What sessions are told that were behind.

#include <algorithm>

#include "protocol/json/json_reader.h"
#include "tests/unit/server/session/monitor_hub_fixture.h"

namespace tandem {
namespace {

using namespace monitor_hub_test;

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

TEST_CASE_METHOD(Hub,
                 "what a slow client missed is told whole, though its database goes meanwhile") {
  insert(1, 1);
  add(client, R"({"T":{"columns":["n"]}})", "one");
  add(client, R"({"T":{"columns":["n","s"]}})", "two");
  client.queued = 1;
  set(1, 2);
  client.queued = 0;
  client.holds = true;
  hub.on_writable(client);
  hub.remove_database(*info);
  shard.run();
  client.release();
  const Texts texts = client.take();
  REQUIRE(texts.size() == 2);
  CHECK_THAT(texts[0], Catch::Contains(R"("params":["one",)"));
  CHECK_THAT(texts[0], Catch::Contains(R"("params":["two",)"));
  CHECK_THAT(texts[1], Catch::StartsWith(R"({"method":"monitor_canceled",)"));
  shard.run();
  CHECK(hub.size() == 0);
}

TEST_CASE_METHOD(Hub, "what a slow client missed is told as its monitors were, though made later") {
  insert(1, 1);
  insert(2, 5);
  add(client, R"({"T":{"columns":["s"]}})", "stays");
  add(client, R"({"T":{"columns":["n"],"where":[["n","==",1]]}})");
  client.queued = 1;
  set(1, 2);
  update(2, R"("s":"y")");
  client.holds = true;
  change(client, R"({"T":[{"where":[["n","==",2]]}]})");
  client.release();
  // In any order but that of the changed monitor's own updates.
  const Texts texts = client.take();
  REQUIRE(texts.size() == 2);
  CHECK_THAT(texts[0], Catch::StartsWith(update2(row(1, R"("delete":null)"))));
  CHECK_THAT(texts[0], Catch::Contains(R"(["stays",{"T":{)" + row(2, R"("modify":{"s":"y"})")));
  CHECK_THAT(texts[0], Catch::EndsWith("}}]}"));
  CHECK(texts[1] == update2(row(1, R"("insert":{"n":2})")));
}

TEST_CASE_METHOD(Hub,
                 "a monitor that starts is not told what its session missed, though made later") {
  insert(1, 1);
  add(client, R"({"T":{"columns":["n"]}})", "old");
  client.queued = 1;
  set(1, 2);
  client.holds = true;
  for (const char* columns : {R"({"T":{"columns":["n"]}})", R"({"T":{"columns":["s"]}})"}) {
    CHECK(add(client, columns, "new").empty());
    client.release();
    const Texts texts = client.take();
    REQUIRE(texts.size() == 2);
    CHECK_THAT(texts[0], Catch::Contains(R"(["old",)"));
    CHECK_THAT(texts[0], !Catch::Contains(R"(["new",)"));
    CHECK_THAT(texts[1], Catch::Contains(R"("result":)"));
    CHECK(hub.cancel(client, numbers.at(&client)));
    set(1, 3);
  }
}

TEST_CASE_METHOD(Hub,
                 "a commit that fills a session's queue is sent to all its monitors, and once") {
  insert(1, 1);
  add(client, R"({"T":{"columns":["n"]}})", "a");
  add(client, R"({"T":{"columns":["n"]}})", "b");
  add(client, R"({"T":{"columns":["n","s"]}})", "c");
  client.room = 10;
  set(1, 2);
  CHECK(client.take().size() == 3);
  client.queued = 0;
  hub.on_writable(client);
  CHECK(client.take().empty());
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

TEST_CASE_METHOD(Hub, "a long commit is told piece by piece, in pieces that sessions share") {
  constexpr int kRows = 5000;
  for (int i = 0; i < kRows; ++i) insert(i, 1);
  for (FakeConnection* each : {&client, &other}) {
    add(*each, R"({"T":{"columns":["n"]}})");
    each->holds = true;
  }
  transact(R"({"op":"update","table":"T","where":[],"row":{"n":2}})");
  set(7, 3);
  CHECK(client.take().empty());
  for (FakeConnection* each : {&client, &other}) {
    each->release();
    const Texts texts = each->take();
    REQUIRE(texts.size() == 1);
    const JsonDocument update = parse_json(texts[0]).value();
    CHECK(update.root().find("params")[1].find("T").size() == kRows);
    hub.on_writable(*each);
    CHECK(each->take().empty());  // the change of one row is held, too
    each->release();
    CHECK(each->take() == Texts{update2(row(7, R"("modify":{"n":3})"))});
  }
  const auto& pieces = client.pieces();
  const auto shared = [&](const SharedText& piece) {
    return piece->size() > 10'000 &&
           std::find(other.pieces().begin(), other.pieces().end(), piece) != other.pieces().end();
  };
  CHECK(std::count_if(pieces.begin(), pieces.end(), shared) >= kRows / 512);
}

TEST_CASE_METHOD(Hub, "a commit that many monitors of a session see is told piece by piece") {
  for (int i = 0; i < 100; ++i) insert(i, 1);
  for (int i = 0; i < 60; ++i) add(client, R"({"T":{"columns":["n"]}})", std::to_string(i).c_str());
  client.holds = true;
  transact(R"({"op":"update","table":"T","where":[],"row":{"n":2}})");
  CHECK(client.take().empty());
  client.release();
  const Texts texts = client.take();
  REQUIRE(texts.size() == 1);
  std::size_t updates = 0;
  for (auto at = texts[0].find("update2"); at != std::string::npos;
       at = texts[0].find("update2", at + 1))
    ++updates;
  CHECK(updates == 60);
}

TEST_CASE_METHOD(Hub, "what a client missed that has gone is freed in several turns of its shard") {
  add(client, R"({"T":{"columns":["n"]}})");
  client.queued = 1;
  for (int i = 1; i <= 3000; ++i) insert(i, i);
  hub.remove_session(client);
  CHECK_FALSE(shard.idle());
  shard.run();
  CHECK(shard.idle());
  CHECK(hub.size() == 0);
}

}  // namespace
}  // namespace tandem
