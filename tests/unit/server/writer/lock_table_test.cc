#include "server/writer/lock_table.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

constexpr SessionId kAnn{1};
constexpr SessionId kBob{2};
constexpr SessionId kCleo{3};

TEST_CASE("the first to ask for a lock owns it, the second waits and is told when it is free") {
  LockTable locks;
  CHECK(locks.acquire(kAnn, "l", LockTable::Mode::kLock)->owned);
  CHECK_FALSE(locks.acquire(kBob, "l", LockTable::Mode::kLock)->owned);
  CHECK(locks.owns(kAnn, "l"));
  std::vector<LockTable::Notice> notices;
  REQUIRE(locks.release(kAnn, "l", notices));
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].session == kBob);
  CHECK_FALSE(notices[0].stolen);
  CHECK(locks.owns(kBob, "l"));
}

TEST_CASE("a session that has or awaits a lock cannot ask for it again") {
  LockTable locks;
  locks.acquire(kAnn, "l", LockTable::Mode::kLock);
  locks.acquire(kBob, "l", LockTable::Mode::kLock);
  CHECK_FALSE(locks.acquire(kAnn, "l", LockTable::Mode::kLock));
  CHECK_FALSE(locks.acquire(kBob, "l", LockTable::Mode::kSteal));
}

TEST_CASE("a thief owns at once, and the robbed one is next in line") {
  LockTable locks;
  locks.acquire(kAnn, "l", LockTable::Mode::kLock);
  locks.acquire(kBob, "l", LockTable::Mode::kLock);
  const auto stolen = locks.acquire(kCleo, "l", LockTable::Mode::kSteal);
  REQUIRE(stolen);
  CHECK(stolen->owned);
  REQUIRE(stolen->notices.size() == 1);
  CHECK(stolen->notices[0].session == kAnn);
  CHECK(stolen->notices[0].stolen);
  std::vector<LockTable::Notice> notices;
  REQUIRE(locks.release(kCleo, "l", notices));
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].session == kAnn);
}

TEST_CASE("a robbed thief does not wait, but has to unlock before it asks anew") {
  LockTable locks;
  locks.acquire(kAnn, "l", LockTable::Mode::kLock);
  locks.acquire(kBob, "l", LockTable::Mode::kSteal);
  const auto stolen = locks.acquire(kCleo, "l", LockTable::Mode::kSteal);
  REQUIRE(stolen);
  REQUIRE(stolen->notices.size() == 1);
  CHECK(stolen->notices[0].session == kBob);
  CHECK_FALSE(locks.acquire(kBob, "l", LockTable::Mode::kLock));
  std::vector<LockTable::Notice> notices;
  REQUIRE(locks.release(kCleo, "l", notices));
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].session == kAnn);
  CHECK(locks.owns(kAnn, "l"));
  CHECK(locks.release(kBob, "l", notices));
  CHECK(notices.size() == 1);
  CHECK_FALSE(locks.release(kBob, "l", notices));
}

TEST_CASE("the owner is told again when somebody else leaves the queue") {
  LockTable locks;
  locks.acquire(kAnn, "l", LockTable::Mode::kLock);
  locks.acquire(kBob, "l", LockTable::Mode::kSteal);
  const auto notices = locks.release_all(kAnn);
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].session == kBob);
  CHECK_FALSE(notices[0].stolen);
}

TEST_CASE("a session that goes leaves all its locks, waiting or owned") {
  LockTable locks;
  locks.acquire(kAnn, "a", LockTable::Mode::kLock);
  locks.acquire(kBob, "a", LockTable::Mode::kLock);
  locks.acquire(kBob, "b", LockTable::Mode::kLock);
  locks.acquire(kAnn, "b", LockTable::Mode::kLock);
  const auto notices = locks.release_all(kAnn);
  REQUIRE(notices.size() == 2);  // of "b" because of the owner's being told again
  CHECK(notices[0].lock == "a");
  CHECK(notices[0].session == kBob);
  CHECK(notices[1].lock == "b");
  CHECK(notices[1].session == kBob);
  CHECK(locks.owns(kBob, "a"));
  CHECK(locks.owns(kBob, "b"));
  CHECK(locks.release_all(kBob).empty());
  CHECK(locks.acquire(kAnn, "b", LockTable::Mode::kLock)->owned);
}

TEST_CASE("a session that goes leaves its own locks alone, and the number of its locks is known") {
  LockTable locks;
  locks.acquire(kAnn, "a", LockTable::Mode::kLock);
  locks.acquire(kAnn, "b", LockTable::Mode::kSteal);
  locks.acquire(kBob, "b", LockTable::Mode::kSteal);  // Ann is robbed, and has still to unlock
  locks.acquire(kBob, "c", LockTable::Mode::kLock);
  locks.acquire(kAnn, "c", LockTable::Mode::kLock);
  CHECK(locks.count(kAnn) == 3);
  CHECK(locks.count(kBob) == 2);
  CHECK(locks.count(kCleo) == 0);
  CHECK(locks.release_all(kAnn).size() == 1);  // the owner of "c" is told again
  CHECK(locks.count(kAnn) == 0);
  CHECK(locks.owns(kBob, "b"));
  CHECK(locks.owns(kBob, "c"));
  CHECK(locks.acquire(kAnn, "a", LockTable::Mode::kLock)->owned);
}

}  // namespace
}  // namespace tandem
