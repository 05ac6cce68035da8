#include "server/net/thread_relief.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

#include "tests/unit/server/net/net_fixture.h"

using namespace tandem::net;
using namespace tandem::net::test;

namespace {

/// A shard whose thread a task has borrowed, which is blocked until the latch lets it go.
struct Blocked {
  Blocked() {
    shard.start();
    shard.post_lent([this] {
      begun.count_down();
      free.wait();
      took_back = shard.take_back();
      current = shard.is_current();
      shard.post([this] { said += 'c'; });
      returned = true;
    });
    begun.wait();
  }
  ~Blocked() {
    if (!free.try_wait()) free.count_down();
    shard.stop();
  }
  /// Waits for what was posted before.
  void settle() {
    std::latch done(1);
    shard.post([&] { done.count_down(); });
    done.wait();
  }

  IoShard shard{0};
  std::latch begun{1};
  std::latch free{1};
  std::atomic<bool> took_back = true;
  std::atomic<bool> current = true;
  std::atomic<bool> returned = false;
  std::string said;  ///< on the shard
};

}  // namespace

TEST_CASE("a shard whose thread is blocked goes on with another one, and the first leaves it") {
  Blocked blocked;
  blocked.shard.post([&] { blocked.said += blocked.shard.is_current() ? 'a' : '?'; });
  REQUIRE(blocked.shard.relieve(std::chrono::milliseconds(0)));
  CHECK_FALSE(blocked.shard.is_lent());
  blocked.settle();
  blocked.shard.post([&] { blocked.said += 'b'; });
  blocked.settle();
  blocked.free.count_down();
  while (!blocked.returned) std::this_thread::yield();
  while (true) {
    std::string said;
    std::latch done(1);
    blocked.shard.post([&] {
      said = blocked.said;
      done.count_down();
    });
    done.wait();
    if (said.size() == 3) {
      CHECK(said == "abc");
      break;
    }
  }
  CHECK_FALSE(blocked.took_back);
  CHECK_FALSE(blocked.current);
}

TEST_CASE("a thread whose task returns in time stays the shard's") {
  Blocked blocked;
  CHECK_FALSE(blocked.shard.relieve(std::chrono::hours(1)));
  blocked.free.count_down();
  while (!blocked.returned) std::this_thread::yield();
  blocked.settle();
  CHECK(blocked.took_back);
  CHECK(blocked.current);
  CHECK_FALSE(blocked.shard.relieve(std::chrono::milliseconds(0)));
}

TEST_CASE(
    "a shard is relieved as often as it takes, and what its tasks leave for a turn's end is run") {
  IoShard shard(0);
  shard.start();
  std::atomic<int> blocked = 0;
  std::atomic<int> ends = 0;
  std::latch free(1);
  for (int i = 0; i < 5; ++i) {
    shard.post_lent([&] {
      ++blocked;
      free.wait();
      if (!shard.take_back()) ++ends;
    });
    while (blocked == i) std::this_thread::yield();
    REQUIRE(shard.relieve(std::chrono::milliseconds(0)));
  }
  free.count_down();
  while (ends < 5) std::this_thread::yield();
  std::latch done(1);
  shard.post([&] { done.count_down(); });
  done.wait();
}

TEST_CASE("home sees to blocked threads by itself, also after it has slept") {
  IoShard home(9);
  IoShard shard(0);
  ThreadRelief relief(home);
  relief.watch(shard);
  home.start();
  shard.start();
  for (int i = 0; i < 2; ++i) {
    std::latch free(1);
    std::latch served(1);
    std::latch returned(1);
    shard.post_lent([&] {
      free.wait();
      shard.take_back();
      returned.count_down();
    });
    shard.post([&] { served.count_down(); });
    served.wait();
    free.count_down();
    returned.wait();
    // It goes to sleep when no such tasks come.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  shard.stop();
  home.stop();
}
