#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <deque>
#include <set>
#include <thread>

#include "tests/unit/server/net/connection_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

TEST_CASE("A message that is made as it leaves arrives whole, before what was sent after it") {
  /// Numbers, some pieces of them empty.
  class Numbers final : public TextSource {
   public:
    SharedText next() override {
      if (number_ == 100'000) return nullptr;
      const int number = number_++;
      return std::make_shared<const std::string>(number % 500 < 100 ? "" : std::to_string(number));
    }

   private:
    int number_ = 0;
  };
  ConnectionFixture f;
  std::string expected;
  Numbers numbers;
  for (SharedText text; (text = numbers.next()) != nullptr;) expected += *text;
  f.connection->send(std::string("before"));
  f.connection->send(std::make_unique<Numbers>());
  f.connection->send(std::string("after"));
  CHECK(f.connection->queued_bytes() > ConnectionLimits{}.high_mark);
  std::string got;
  REQUIRE(serve_until(f.shard, [&] {
    got += f.peer->read();
    return got.ends_with("after");
  }));
  CHECK(got == "before" + expected + "after");
  CHECK(f.connection->queued_bytes() == 0);
  CHECK(f.seen.writable == 1);
}

TEST_CASE("However many messages are being made, what else is ready waits for one of them") {
  class Endless final : public TextSource {
   public:
    Endless(int number, std::set<int>& made) : number_(number), made_(made) {}
    SharedText next() override {
      made_.insert(number_);
      return shared_text(std::string(1000, 'x'));
    }

   private:
    const int number_;
    std::set<int>& made_;
  };
  IoShard shard(0);
  std::set<int> made;  // of which connections, since others had their turn
  std::set<int> ever;
  std::size_t most = 0;
  Seen seen;
  std::deque<Connection> connections;
  std::vector<UniqueFd> peers;
  for (int i = 0; i < 20; ++i) {
    auto [ours, theirs] = socket_pair();
    ConnectionOptions options;
    options.make_handler = recorder(seen);
    connections.emplace_back(shard, std::move(options)).start(std::move(ours), nullptr);
    peers.push_back(std::move(theirs));
  }
  shard.post([&] {
    for (int i = 0; i < 20; ++i)
      connections[static_cast<std::size_t>(i)].send(std::make_unique<Endless>(i, made));
  });
  std::function<void()> others = [&] {
    most = std::max(most, made.size());
    ever.merge(std::exchange(made, {}));
    if (ever.size() < 20) shard.post(others);
  };
  shard.post(others);
  REQUIRE(serve_until(shard, [&] { return ever.size() == 20; }));
  CHECK(most == 1);
}

TEST_CASE("Connections that ended while they made messages can be destroyed by another thread") {
  class Endless final : public TextSource {
   public:
    SharedText next() override { return shared_text(""); }
  };
  constexpr std::size_t kConnections = 20;
  IoShard shard(0);
  Seen seen;
  std::vector<std::unique_ptr<Connection>> connections(kConnections);
  std::vector<UniqueFd> peers;
  std::vector<std::atomic<bool>> ended(kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) {
    auto [ours, theirs] = socket_pair();
    ConnectionOptions options;
    options.make_handler = recorder(seen);
    options.on_ended = [&ended, i](const ConnectionEnding&) { ended[i] = true; };
    connections[i] = std::make_unique<Connection>(shard, std::move(options));
    connections[i]->start(std::move(ours), nullptr);
    connections[i]->send(std::make_unique<Endless>());
    peers.push_back(std::move(theirs));
  }
  // Some others go on with theirs, so that those that have ended were not the next.
  shard.start();
  for (std::size_t i = 0; i < kConnections; i += 2)
    shard.post([connection = connections[i].get()] { connection->close("enough"); });
  for (std::size_t i = 0; i < kConnections; i += 2) {
    while (!ended[i]) std::this_thread::yield();
    // The task that ended it may still be about to return.
    std::atomic<bool> returned = false;
    shard.post([&returned] { returned = true; });
    while (!returned) std::this_thread::yield();
    connections[i].reset();
  }
  shard.stop();
  CHECK(seen.closed.size() == kConnections / 2);
}

TEST_CASE("A reader that is too slow stops its own requests and is told of when it drains") {
  ConnectionLimits limits;
  limits.high_mark = 100'000;
  limits.low_mark = 10'000;
  ConnectionFixture f(0, limits);
  f.seen.react = [](ConnectionPort& port, const JsonRpcMessage&) {
    port.send(std::string(10'000, 'x'));
  };
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += R"({"id":1,"method":"m","params":[]})";
  REQUIRE(f.peer->write(requests));
  serve_for(f.shard, 100);
  CHECK(f.connection->queued_bytes() <= limits.high_mark + 10'000);
  CHECK(f.seen.messages.size() < 1000);
  CHECK(f.connection->queued_bytes() > limits.low_mark);
  const int writable_before = f.seen.writable;

  const std::string all =
      f.collect_until([](const std::string& text) { return text.size() >= 10'000'000; });
  CHECK(all.size() == 10'000'000);
  CHECK(f.seen.messages.size() == 1000);
  CHECK(f.seen.writable > writable_before);
}
