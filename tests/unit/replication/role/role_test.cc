#include "tests/unit/replication/role/role_fixture.h"

namespace tandem {
namespace {

using test::RoleFixture;
const Error kFull{"I/O error", "disk full", std::nullopt};

TEST_CASE_METHOD(RoleFixture, "a backup begins by following, with its remotes closed") {
  role.start(BackupSet::all());
  CHECK(take().empty());
  CHECK(backups == BackupSet::all());
  role.serve(now_ms);
  CHECK(take() == "follow;save;");
  CHECK_FALSE(listening);
  CHECK(state() == RoleState::kBackup);
}

TEST_CASE_METHOD(RoleFixture, "an active begins with its remotes open") {
  role.start(BackupSet::none());
  role.serve(now_ms);
  CHECK(take() == "save;");
  CHECK(listening);
  CHECK(state() == RoleState::kActive);
}

TEST_CASE_METHOD(RoleFixture, "a backup is promoting until the promotion is written") {
  begin(BackupSet::all());
  CHECK(promote({.above = Epoch{7}, .least = Height{Epoch{3}, 9}}) ==
        "write promotion above 7 least 3:9;");
  CHECK(state() == RoleState::kPromoting);
  CHECK(backups == BackupSet::all());
  CHECK(answer() == "none");
  role.promotion_written(last(), {}, now_ms);
  CHECK(take() == "save;answer;");
  CHECK(state() == RoleState::kActive);
  CHECK(backups.empty());
  CHECK(listening);
  CHECK(answer() == "done ");
}

TEST_CASE_METHOD(RoleFixture, "a promotion without what is behind damage has to be asked for") {
  begin(BackupSet::all());
  CHECK(promote({.force = true}) == "write promotion;");
  role.promotion_refused(last(), kFull);
  take();
  CHECK(promote({.give_up_damaged = true}) == "write promotion damaged;");
}

TEST_CASE_METHOD(RoleFixture, "a promotion that is refused leaves a backup that follows") {
  begin(BackupSet::all());
  promote();
  role.promotion_refused(last(), kFull);
  CHECK(take() == "follow;answer;");
  CHECK(state() == RoleState::kBackup);
  CHECK_FALSE(listening);
  CHECK(backups == BackupSet::all());
  CHECK(answer() == "error: I/O error: disk full");
}

TEST_CASE_METHOD(RoleFixture, "a promotion that is not durable is made, and answered with that") {
  begin(BackupSet::all());
  promote();
  role.promotion_written(last(), kFull, now_ms);
  take();
  CHECK(state() == RoleState::kActive);
  CHECK(answer() == "error: I/O error: disk full");
}

TEST_CASE_METHOD(RoleFixture, "an empty backup that never was in sync is promoted only by force") {
  begin(BackupSet::all());
  CHECK(promote({.never_synced = "db"}) == "answer;");
  CHECK(answer().starts_with("error: db was never in sync"));
  CHECK(state() == RoleState::kBackup);
  CHECK(promote({.force = true, .never_synced = "db"}) == "write promotion;");
}

TEST_CASE_METHOD(RoleFixture, "an active is promoted only if a greater epoch is wanted") {
  begin(BackupSet::none());
  CHECK(promote() == "answer;");
  CHECK(answer() == "done ");
  CHECK(promote({.above = Epoch{7}}) == "write promotion above 7;");
  CHECK(state() == RoleState::kActive);
}

TEST_CASE_METHOD(RoleFixture, "an active that cannot open another epoch stays what it is") {
  begin(BackupSet::none());
  promote({.above = Epoch{7}});
  role.promotion_refused(last(), kFull);
  CHECK(take() == "answer;");
  CHECK(state() == RoleState::kActive);
  CHECK(listening);
  role.databases_changed();
  take();
  CHECK(backups.empty());
}

TEST_CASE_METHOD(RoleFixture, "a demotion overtakes a promotion") {
  begin(BackupSet::all());
  promote();
  const RoleChange promotion = last();
  CHECK(demote() == "answer;save;");
  CHECK(answers[1] == "error: another change of role has overtaken the promotion");
  CHECK(state() == RoleState::kBackup);
  role.promotion_written(promotion, {}, now_ms);
  CHECK(take().empty());
  CHECK(state() == RoleState::kBackup);
  role.databases_set(last());
  CHECK(take() == "follow;answer;");
  CHECK(answer() == "done ");
}

TEST_CASE_METHOD(RoleFixture, "an active drains before it is a backup") {
  begin(BackupSet::none());
  CHECK(demote() == "save;");
  CHECK(log == "becoming a backup of tcp:b:1\n");
  CHECK(state() == RoleState::kDraining);
  CHECK(backups == BackupSet::all());
  CHECK(listening);
  role.databases_set(last());
  CHECK(take() == "look;");
  CHECK(see({follower("b", 8)}).empty());
  CHECK(pass(5) == "look;");
  CHECK(see({follower("b", 9)}) == "follow;answer;");
  CHECK(state() == RoleState::kBackup);
  CHECK_FALSE(listening);
  CHECK(answer() == "done drained\n");
}

TEST_CASE_METHOD(RoleFixture, "a backup that is demoted follows another active at once") {
  begin(BackupSet::all());
  CHECK(demote({.backups = BackupSet::all(), .depose = true}) == "depose;save;");
  role.databases_set(last());
  CHECK(take() == "follow;answer;");
  CHECK(answer() == "done ");
}

TEST_CASE_METHOD(RoleFixture, "a demotion may be answered when the connection shows something") {
  begin(BackupSet::all());
  demote({.backups = BackupSet::all(), .until_followed = true});
  role.databases_set(last());
  CHECK(take() == "follow;");
  CHECK(answer() == "none");
  role.followed(last());
  CHECK(take() == "answer;");
}

TEST_CASE_METHOD(RoleFixture, "a demotion is undone if its successor has not everything") {
  begin(BackupSet::none());
  begin_drain("b", true);
  CHECK(see({follower("b", 8), follower("c", 9)}).empty());
  pass(Drain::kWaitSuccessorMs);
  CHECK(see({follower("b", 8), follower("c", 9)}) == "save;answer;");
  CHECK(state() == RoleState::kActive);
  CHECK(backups.empty());
  CHECK(listening);
  CHECK(answer() ==
        "error: not demoted, the backup that is to be active has not everything: lacks b db 3:8");
}

TEST_CASE_METHOD(RoleFixture, "a demotion that is undone is so in its lease") {
  begin(BackupSet::none());
  CHECK(role.renew_lease(1000, kEpoch, kEpoch, now_ms));
  begin_drain("b", true);
  role.depose(kEpoch, now_ms);
  see({});
  CHECK(state() == RoleState::kExpired);
  CHECK_FALSE(listening);
}

TEST_CASE_METHOD(RoleFixture, "a promotion overtakes a drain") {
  begin(BackupSet::none());
  begin_drain();
  CHECK(promote() == "answer;write promotion;");
  CHECK(answers[1] == "error: another change of role has overtaken this one");
  CHECK(state() == RoleState::kPromoting);
  CHECK(see({}).empty());
  role.promotion_written(last(), {}, now_ms);
  take();
  CHECK(state() == RoleState::kActive);
}

TEST_CASE_METHOD(RoleFixture, "a promotion that overtook a drain and is refused closes remotes") {
  begin(BackupSet::none());
  begin_drain();
  promote();
  role.promotion_refused(last(), kFull);
  CHECK(take() == "follow;answer;");
  CHECK(state() == RoleState::kBackup);
  CHECK_FALSE(listening);
}

TEST_CASE_METHOD(RoleFixture, "a later demotion goes on with the drain that has begun") {
  begin(BackupSet::none());
  begin_drain();
  now_ms += 800;
  begin_drain("b");
  CHECK(answers[1] == "error: another change of role has overtaken this one");
  CHECK(see({follower("c", 8)}).empty());
  now_ms += 200;
  CHECK(see({follower("c", 8)}) == "follow;answer;");
}

TEST_CASE_METHOD(RoleFixture, "a reload makes backups and actives of databases, each for itself") {
  begin(BackupSet::of({"a"}));
  role.reload(next(), BackupSet::of({"b"}));
  CHECK(take() == "settle;");
  CHECK(state() == RoleState::kBackup);
  CHECK(role.backups() == BackupSet::of({"a", "b"}));
  role.settled(last(), {}, now_ms);
  CHECK(take() == "save;follow;");
  CHECK(backups == BackupSet::of({"b"}));
  role.followed(last());
  CHECK(take() == "answer;");
  CHECK(answer() == "done ");
}

TEST_CASE_METHOD(RoleFixture, "a reload that leaves no backup makes the server active") {
  begin(BackupSet::of({"a"}));
  role.reload(next(), {});
  take();
  role.settled(last(), {}, now_ms);
  CHECK(take() == "save;answer;");
  CHECK(state() == RoleState::kActive);
  CHECK(listening);
}

TEST_CASE_METHOD(RoleFixture, "a database that a reload cannot promote stays a backup") {
  begin(BackupSet::of({"a", "b"}));
  role.reload(next(), {});
  take();
  role.settled(last(), {{"a", kFull}}, now_ms);
  take();
  CHECK(backups == BackupSet::of({"a"}));
  CHECK(state() == RoleState::kBackup);
  role.followed(last());
  take();
  CHECK(answer() == "error: I/O error: disk full");
}

TEST_CASE_METHOD(RoleFixture, "a promotion overtakes a reload") {
  begin(BackupSet::of({"a"}));
  role.reload(next(), BackupSet::of({"b"}));
  CHECK(promote() == "settle;answer;write promotion;");
  CHECK(answers[1] == "error: another change of role has overtaken the reload");
}

}  // namespace
}  // namespace tandem
