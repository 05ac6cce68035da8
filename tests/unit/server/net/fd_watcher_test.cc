#include "server/net/fd_watcher.h"

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "tests/unit/server/net/net_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

namespace {

struct Listener final : FdListener {
  void on_readable() override { ++readable; }
  void on_writable() override { ++writable; }
  int readable = 0;
  int writable = 0;
};

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

}  // namespace

TEST_CASE("A descriptor that the kernel will not watch stays ours, and is watched when it can be") {
  IoShard shard(0);
  auto [ours, theirs] = socket_pair();
  Peer peer(std::move(theirs));
  const int fd = ours.get();
  Listener first_listener;
  Listener listener;
  {
    // The kernel refuses to watch a number twice, as it does beyond its limit of watches.
    FdWatcher first(shard, UniqueFd(fd), first_listener);
    FdWatcher second(shard, std::move(ours), listener);
    REQUIRE(is_open(fd));
    CHECK(second.fd() == fd);
    REQUIRE(first.release().release() == fd);
    REQUIRE(is_open(fd));
    second.wait_readable();
    peer.write("x");
    CHECK(serve_until(shard, [&] { return listener.readable == 1; }));
    second.wait_writable();
    CHECK(serve_until(shard, [&] { return listener.writable == 1; }));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("A descriptor that is not watched can be taken out") {
  IoShard shard(0);
  auto [ours, theirs] = socket_pair();
  const int fd = ours.get();
  Listener listener;
  FdWatcher first(shard, UniqueFd(fd), listener);
  {
    FdWatcher second(shard, std::move(ours), listener);
    const UniqueFd released = second.release();
    CHECK(released.get() == fd);
    CHECK(first.release().release() == fd);
  }
  CHECK_FALSE(is_open(fd));
}
