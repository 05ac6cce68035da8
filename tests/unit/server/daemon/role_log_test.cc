#include "server/daemon/role_log.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

using Changes = std::vector<control::RoleNote>;

TEST_CASE("a role is remembered with the time from which the server had it") {
  RoleLog log;
  log.note(RoleState::kBackup, 5);
  log.note(RoleState::kBackup, 6);
  log.note(RoleState::kActive, 7);
  CHECK(log.changes() == Changes{{RoleState::kActive, 7}, {RoleState::kBackup, 5}});
}

TEST_CASE("what lasts for a moment is no role") {
  RoleLog log;
  log.note(RoleState::kActive, 1);
  log.note(RoleState::kDraining, 2);
  log.note(RoleState::kActive, 3);  // the demotion was undone
  log.note(RoleState::kDraining, 4);
  log.note(RoleState::kBackup, 5);
  log.note(RoleState::kPromoting, 6);
  log.note(RoleState::kActive, 7);
  CHECK(log.changes() ==
        Changes{{RoleState::kActive, 7}, {RoleState::kBackup, 5}, {RoleState::kActive, 1}});
}

TEST_CASE("only the last changes are kept") {
  RoleLog log;
  for (int i = 0; i < 100; ++i) log.note(i % 2 == 0 ? RoleState::kActive : RoleState::kExpired, i);
  REQUIRE(log.changes().size() == RoleLog::kMost);
  CHECK(log.changes().front().at_ms == 99);
}

}  // namespace
}  // namespace tandem
