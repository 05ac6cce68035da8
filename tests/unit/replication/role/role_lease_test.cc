#include "tests/unit/replication/role/role_fixture.h"

namespace tandem {
namespace {

using test::RoleFixture;

TEST_CASE_METHOD(RoleFixture, "an active is read-only from the end of its lease until the next") {
  begin(BackupSet::none());
  CHECK(role.renew_lease(500, std::nullopt, kEpoch, now_ms));
  CHECK(take() == "save;");
  CHECK(deadline_ms == now_ms + 500);
  CHECK(timer_ms == now_ms + 500);
  now_ms += 500;
  CHECK(state() == RoleState::kExpired);  // whether the timer has come or not
  CHECK(listening);
  pass(0);
  CHECK_FALSE(listening);
  CHECK(log ==
        "role lease: this server may write for 0.5 s at a time, from now on\n"
        "role lease of 0.5 s has run out: read-only until it is renewed\n");
  CHECK(role.renew_lease(500, kEpoch, kEpoch, now_ms));
  take();
  CHECK(state() == RoleState::kActive);
  CHECK(listening);
}

TEST_CASE_METHOD(RoleFixture, "a lease for another epoch is refused") {
  begin(BackupSet::none());
  CHECK(role.renew_lease(500, Epoch{2}, kEpoch, now_ms).error().to_string() ==
        "this server is in epoch 3, not 2");
  CHECK(take().empty());
  CHECK(role.lease().state(now_ms) == Lease::State::kUnarmed);
}

TEST_CASE_METHOD(RoleFixture, "an active without a lease may write until it is told otherwise") {
  begin(BackupSet::none());
  CHECK(role.renew_lease(500, {}, kEpoch, now_ms));
  CHECK(role.disarm_lease(kEpoch, now_ms));
  take();
  pass(1000);
  CHECK(state() == RoleState::kActive);
  CHECK_FALSE(deadline_ms);
}

TEST_CASE_METHOD(RoleFixture, "a deposed server is granted nothing until it is promoted") {
  begin(BackupSet::none());
  CHECK(role.renew_lease(500, {}, kEpoch, now_ms));
  role.depose(kEpoch, now_ms);
  take();
  CHECK(state() == RoleState::kExpired);
  CHECK_FALSE(listening);
  CHECK_FALSE(role.renew_lease(500, kEpoch, kEpoch, now_ms));
  CHECK_FALSE(role.disarm_lease(kEpoch, now_ms));
  CHECK(promote({.epoch = kEpoch}) == "write promotion above 3;");
  role.promotion_written(last(), {}, now_ms);
  take();
  CHECK(state() == RoleState::kActive);
  CHECK(role.renew_lease(500, {}, Epoch{4}, now_ms));
}

TEST_CASE_METHOD(RoleFixture, "a server whose lease has run out can be deposed, too") {
  begin(BackupSet::none());
  CHECK(role.renew_lease(500, {}, kEpoch, now_ms));
  pass(500);
  role.depose(kEpoch, now_ms);
  CHECK_FALSE(role.renew_lease(500, {}, kEpoch, now_ms));
  CHECK(state() == RoleState::kExpired);
}

TEST_CASE_METHOD(RoleFixture, "a server whose role nobody grants is not deposed") {
  begin(BackupSet::none());
  role.depose(kEpoch, now_ms);
  CHECK(take().empty());
  CHECK(state() == RoleState::kActive);
  CHECK(log == "a backup says that another server is being made active\n");
}

TEST_CASE_METHOD(RoleFixture, "a deposed server stays so over a crash") {
  Lease lease;
  lease.resume(500, now_ms, kEpoch);
  role.resume(lease);
  begin(BackupSet::none());
  CHECK(state() == RoleState::kExpired);
  CHECK_FALSE(listening);
  CHECK_FALSE(role.renew_lease(500, {}, kEpoch, now_ms));
}

TEST_CASE_METHOD(RoleFixture, "a lease of a backup counts from its promotion") {
  begin(BackupSet::all());
  CHECK(role.renew_lease(500, {}, kEpoch, now_ms));
  pass(2000);
  CHECK(state() == RoleState::kBackup);
  promote();
  role.promotion_written(last(), {}, now_ms);
  take();
  CHECK(state() == RoleState::kActive);
  pass(500);
  CHECK(state() == RoleState::kExpired);
}

}  // namespace
}  // namespace tandem
