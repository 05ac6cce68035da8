// Following an active by Tandem's stream: resume, comparison, records, acknowledgements.

#include "tests/unit/replication/active_link_fixture.h"

namespace tandem {
namespace {

using namespace active_link_test;

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
  CHECK_THAT(backup.port.logged.back(), Catch::Contains("saved to db.diverged"));
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

TEST_CASE("only an active that streams is told that another is being made active") {
  Backup backup;
  backup.link.depose();
  CHECK(backup.port.sent.empty());
  backup.reach_stream(resume(5));
  CHECK(backup.take_sent().find("tandem_ack") != std::string::npos);
  backup.link.depose();
  CHECK(backup.take_sent().find("tandem_depose") != std::string::npos);
  backup.link.on_disconnected("gone");
  backup.link.depose();
  CHECK(backup.port.sent.empty());
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

TEST_CASE(
    "a backup that gets no stream follows by monitor, says why, and asks again when it comes "
    "anew") {
  Backup backup;
  backup.reach_contents();
  CHECK(backup.answer("error", R"({"error":"permission error","details":"the role",)"
                               R"("position":)" +
                                   at(9) + "}") == "tandem_follow");
  CHECK(backup.answer("result", kOneRow) == "monitor");
  backup.replica.finish({});
  CHECK(backup.status().state == FollowerStatus::State::kReplicating);
  CHECK(backup.status().mode == FollowerStatus::Mode::kMonitor);
  CHECK_THAT(backup.status().stream_refused, Catch::Contains("the role"));
  backup.link.on_disconnected("");
  backup.port.sent.clear();
  backup.reach_stream(resume(5));
  CHECK(backup.status().mode == FollowerStatus::Mode::kStream);
  CHECK(backup.status().stream_refused.empty());
}

TEST_CASE(
    "an active that gives no stream is not followed by monitor if it is no longer the active") {
  for (const std::string& position : {R"("position":)" + at(9), std::string(R"("details":"")")}) {
    Backup backup(Epoch{2});
    backup.reach_contents();
    backup.answer("error", R"({"error":"permission error",)" + position + "}");
    CHECK(backup.status().state == FollowerStatus::State::kRefused);
    CHECK(backup.port.sent.empty());
  }
}

TEST_CASE("a backup that gives no stream is not followed by monitor if its copy is older") {
  Backup backup;
  backup.reach_contents();
  backup.answer("error", R"({"error":"permission error","backup":true,"position":)" + at(4) + "}");
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
}

TEST_CASE("a stream that cannot be is refused, with the reason, and asked for anew later") {
  const char* const kTwoRows =
      R"(,{"t":{"11111111-1111-4111-8111-111111111111":{"initial":{"n":1}},)"
      R"("22222222-1111-4111-8111-111111111111":{"initial":{"n":1}}}})";
  const std::string far =
      R"({"epoch":9223372036854775807,"index":6,"digest":"00000000-0000-0000-0000-000000000006"})";
  const std::string high =
      R"({"epoch":1,"index":9223372036854775807,"digest":"00000000-0000-0000-0000-000000000006"})";
  const struct {
    const char* what;
    std::vector<std::string> replies;  // to tandem_follow
    std::string method;
    std::string params;
    const char* error;
  } cases[] = {
      {"a reply that is none", {"5"}, "", "", "Parsing the reply to tandem_follow failed"},
      {"an unknown mode",
       {R"({"mode":"x","position":)" + at(6) + '}'},
       "",
       "",
       "Parsing the reply"},
      {"no position", {R"({"mode":"resume"})"}, "", "", "Parsing the reply"},
      {"an epoch too far", {R"({"mode":"resume","position":)" + far + '}'}, "", "", "cannot be"},
      {"an index too high", {R"({"mode":"resume","position":)" + high + '}'}, "", "", "cannot be"},
      {"an epoch too far to compare",
       {R"({"mode":"compare","position":)" + far + '}'},
       "",
       "",
       "cannot be"},
      {"rows unasked", {rows(6, 1, at(1))}, "", "", "does not answer what was asked"},
      {"comparing again", {compare(6), compare(6)}, "", "", "does not answer what was asked"},
      {"buckets that are none",
       {compare(6), R"({"mode":"rows","rows":1,"buckets":5,"position":)" + at(6) + R"(,"oldest":)" +
                        at(1) + '}'},
       "",
       "",
       "Parsing buckets failed"},
      {"a record that is none", {resume(6)}, "tandem_record", ",5", "a record cannot be read"},
      {"a record without a position",
       {resume(6)},
       "tandem_record",
       R"(,{"record":"{}"})",
       "a record cannot be read"},
      {"a record of a far epoch",
       {resume(6)},
       "tandem_record",
       R"(,{"record":"{}","position":)" + far + '}',
       "cannot be"},
      {"a record of a high index",
       {resume(6)},
       "tandem_record",
       R"(,{"record":"{}","position":)" + high + '}',
       "cannot be"},
      {"rows that are none",
       {compare(6), rows(6, 1, at(1))},
       "tandem_rows",
       ",5",
       "rows cannot be"},
      {"rows of an unknown table",
       {compare(6), rows(6, 1, at(1))},
       "tandem_rows",
       R"(,{"u":{}})",
       "rows cannot be"},
      {"more rows than announced",
       {compare(6), rows(6, 1, at(1))},
       "tandem_rows",
       kTwoRows,
       "more rows came"},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    Backup backup;
    backup.reach_stream(c.replies[0]);
    for (std::size_t i = 1; i < c.replies.size(); ++i)
      CHECK(backup.answer("result", c.replies[i]) == "tandem_follow");
    if (!c.method.empty()) backup.notify(c.method, c.params);
    CHECK(backup.status().state == FollowerStatus::State::kRefused);
    CHECK(backup.status().error.find(c.error) != std::string::npos);
    CHECK(backup.port.restarts.size() == 1);
    CHECK(backup.replica.log.find("append") == std::string::npos);
    CHECK(backup.replica.log.find("resync") == std::string::npos);
  }
}

TEST_CASE("what comes before it was asked for, or for other databases, changes nothing") {
  Backup backup;
  backup.notify("tandem_record", record(6));
  backup.notify("tandem_rows", kRow);
  backup.notify("tandem_lost", "");
  backup.reach_contents();
  backup.notify("tandem_record", record(6));
  backup.notify("tandem_rows", kRow);
  CHECK(backup.answer("result", resume(6)) == "tandem_follow");
  backup.link.on_message(
      JsonRpcMessage::from_json(
          parse_json(R"({"id":null,"method":"tandem_record","params":["other",5]})").value())
          .value());
  CHECK(backup.status().state == FollowerStatus::State::kReplicating);
  CHECK(backup.replica.log == "");
}

TEST_CASE("messages without rows do not keep a resync alive for ever") {
  Backup backup;
  backup.reach_stream(compare(6));
  CHECK(backup.answer("result", rows(6, 2, at(1))) == "tandem_follow");
  for (int i = 0; i < 400 && backup.port.restarts.empty(); ++i) {
    backup.port.now += 1000;
    backup.notify("tandem_rows", ",{}");
    backup.link.tick();
  }
  CHECK(backup.port.restarts.size() == 1);
  CHECK(backup.status().error.find("did not go on") != std::string::npos);
}

}  // namespace
}  // namespace tandem
