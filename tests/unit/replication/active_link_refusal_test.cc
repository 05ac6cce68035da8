// A stream that an active does not give, or that cannot be.

#include "protocol/json/json_reader.h"
#include "tests/unit/replication/active_link_fixture.h"

namespace tandem {
namespace {

using namespace active_link_test;

TEST_CASE("a record that does not lead where it should starts over on a new connection") {
  Backup backup;
  backup.reach_stream(resume(6));
  backup.notify("tandem_record", record(6));
  backup.replica.finish(Error{"diverged", "a record leads elsewhere", std::nullopt});
  CHECK(backup.port.restarts.size() == 1);
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
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
