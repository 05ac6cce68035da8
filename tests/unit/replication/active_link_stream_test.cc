// Following an active by Tandem's stream: resume, comparison, records, acknowledgements.

#include "tests/unit/replication/active_link_fixture.h"

namespace tandem {
namespace {

using namespace active_link_test;

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

TEST_CASE("a backup has caught up when all that the active had at first is on the disk") {
  Backup backup;
  backup.replica.syncs_at_once = false;
  backup.reach_stream(resume(7));
  backup.replica.syncs.front()({});
  backup.notify("tandem_record", record(6));
  backup.notify("tandem_record", record(7));
  backup.replica.finish({});
  CHECK(backup.replica.syncs.size() == 1);
  backup.replica.finish({});
  REQUIRE(backup.replica.syncs.size() == 2);
  CHECK(backup.replica.times_caught_up == 0);
  backup.replica.syncs.back()({});
  CHECK(backup.replica.times_caught_up == 1);
  backup.notify("tandem_record", record(8));
  backup.replica.finish({});
  CHECK(backup.replica.syncs.size() == 2);
  CHECK(backup.replica.times_caught_up == 1);
}

TEST_CASE("a backup has caught up with the rows of a comparison, and at once if it lacks nothing") {
  Backup behind;
  behind.reach_stream(compare(90));
  behind.answer("result", rows(90, 1, at(50)));
  behind.notify("tandem_rows", kRow);
  CHECK(behind.replica.times_caught_up == 0);
  behind.replica.finish({});
  CHECK(behind.replica.times_caught_up == 1);
  Backup equal;
  equal.reach_stream(resume(5));
  CHECK(equal.replica.times_caught_up == 1);
}

TEST_CASE("a backup learns that its active has become a backup, and that it is active again") {
  Backup backup;
  backup.reach_stream(resume(5));
  CHECK(backup.status().knows_active());
  backup.notify("tandem_role", R"(,{"backup":true})");
  CHECK_FALSE(backup.status().knows_active());
  backup.notify("tandem_role", R"(,{"backup":false})");
  CHECK(backup.status().knows_active());
  CHECK(backup.port.restarts.empty());
  backup.notify("tandem_role", R"(,{"backup":1})");
  CHECK(backup.port.restarts.size() == 1);
}

TEST_CASE("a backup of a backup has not caught up with what it once had") {
  Backup resumed;
  resumed.reach_stream(R"({"mode":"resume","backup":true,"position":)" + at(5) + '}');
  CHECK(resumed.replica.times_caught_up == 0);
  Backup compared;
  compared.reach_stream(R"({"mode":"compare","backup":true,"position":)" + at(90) + '}');
  compared.answer("result", rows(90, 0, at(50)));
  compared.replica.finish({});
  CHECK(compared.status().state == FollowerStatus::State::kReplicating);
  CHECK(compared.replica.times_caught_up == 0);
}

TEST_CASE("a backup of a backup that is promoted has caught up with the promotion") {
  Backup backup;
  backup.reach_stream(R"({"mode":"resume","backup":true,"position":)" + at(5) + '}');
  backup.notify("tandem_record", record(6));
  backup.replica.finish({});
  CHECK(backup.replica.times_caught_up == 0);
  backup.notify("tandem_record", record(7, 2));
  backup.replica.finish({});
  CHECK(backup.replica.times_caught_up == 1);
}

TEST_CASE("a backup that cannot set its damaged file aside says so, and tries again") {
  Backup backup;
  backup.replica.caught_up_outcome = Error{"I/O error", "no space", std::nullopt};
  backup.reach_stream(resume(5));
  CHECK(backup.status().state == FollowerStatus::State::kRefused);
  CHECK(backup.status().error == "the damaged file could not be set aside: I/O error: no space");
  CHECK(backup.port.restarts.size() == 1);
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

}  // namespace
}  // namespace tandem
