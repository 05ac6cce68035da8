#include "server/net/io_shard.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "tests/unit/server/net/net_fixture.h"

using namespace tandem::net;
using namespace tandem::net::test;

namespace {
struct Later : Deferred {
  explicit Later(std::function<void()> action) : action_(std::move(action)) {}
  void run_deferred() override { action_(); }
  std::function<void()> action_;
};
}  // namespace

TEST_CASE("Tasks from other threads run on the shard's thread, in order") {
  IoShard shard(3);
  CHECK(shard.index() == 3);
  CHECK_FALSE(shard.is_current());
  shard.start();
  std::string order;
  std::atomic<int> done = 0;
  for (char c : std::string("abc")) {
    shard.post([&order, &done, &shard, c, owned = std::make_unique<int>(1)] {
      if (shard.is_current()) order += c;
      done += *owned;
    });
  }
  while (done < 3) std::this_thread::yield();
  shard.stop();
  CHECK(order == "abc");
}

TEST_CASE("Tasks run in the order of the posts, whoever posts them") {
  IoShard shard(0);
  shard.start();
  std::string order;
  std::atomic<int> done = 0;
  const auto post = [&](char c) {
    shard.post([&order, &done, c] {
      order += c;
      ++done;
    });
  };
  for (const bool lent : {false, true}) {
    const auto task = [&] {
      post('a');  // from the shard's own thread, and then, before that goes on, from another one
      std::thread([&] { post('b'); }).join();
      post('c');
    };
    if (lent) {
      shard.post_lent(task);
    } else {
      shard.post(task);
    }
    while (done < 3) std::this_thread::yield();
    done = 0;
  }
  shard.stop();
  CHECK(order == "abcabc");
}

TEST_CASE("A task never runs inside post, and one that a stopped shard never ran is dropped") {
  bool ran = false;
  {
    IoShard shard(0);
    shard.post([&ran] { ran = true; });
    CHECK_FALSE(ran);
  }
  CHECK_FALSE(ran);
}

TEST_CASE("Deferred work runs once at the end of the turn that asked for it") {
  IoShard shard(0);
  std::string order;
  Later later([&order] { order += "deferred "; });
  shard.post([&] {
    shard.defer(later);
    shard.defer(later);
    order += "task ";
  });
  shard.post([&order] { order += "next "; });
  serve_for(shard, 20);
  CHECK(order == "task deferred next ");
}

TEST_CASE("Work deferred by deferred work waits for another turn") {
  IoShard shard(0);
  std::string order;
  Later second([&order] { order += "second "; });
  Later first([&] {
    order += "first ";
    shard.defer(second);
  });
  shard.post([&] { shard.defer(first); });
  shard.post([&order] { order += "task "; });
  serve_for(shard, 20);
  CHECK(order == "first task second ");
}

TEST_CASE("Destroying deferred work takes it back") {
  IoShard shard(0);
  bool ran = false;
  auto later = std::make_unique<Later>([&ran] { ran = true; });
  shard.defer(*later);
  later.reset();
  serve_for(shard, 20);
  CHECK_FALSE(ran);
}

TEST_CASE("Long work has a turn at a time, and what else is ready comes between") {
  struct Long : Deferred {
    Long(std::string& order, std::string name) : order_(order), name_(std::move(name)) {}
    void run_deferred() override {}
    void run_long(std::chrono::steady_clock::time_point) override { order_ += name_; }
    std::string& order_;
    const std::string name_;
  };
  IoShard shard(0);
  std::string order;
  Long first(order, "first ");
  Long second(order, "second ");
  auto taken_back = std::make_unique<Long>(order, "third ");
  shard.post([&] {
    shard.defer_long(first);
    shard.defer_long(second);
    shard.defer_long(first);
    shard.defer_long(*taken_back);
    shard.post([&order] { order += "task "; });
    taken_back.reset();
  });
  serve_for(shard, 20);
  CHECK(order == "first task second ");
}
