#include "server/daemon/client_threads.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "server/posix/mutex.h"
#include "tests/support/writer_site.h"

namespace tandem {
namespace {

struct Threads {
  Mutex mutex;
  std::set<std::thread::id> seen GUARDED_BY(mutex);
};

}  // namespace

TEST_CASE("A job for each runs on each client thread, with the hub of that thread") {
  net::IoShard home(100);
  net::ThreadRelief relief(home);
  SystemClock clock;
  test::FakeFileSystem files;
  test::NoSyncer syncer;
  FakeRunner background;
  net::IoShard reader(101);
  DatabaseServer server({clock, files, syncer, background, [](std::int64_t) {}});
  ClientThreads clients(
      3, [&](net::IoShard& shard) { return std::make_unique<ClientHub>(server, shard, reader); },
      relief);
  REQUIRE(clients.size() == 3);
  CHECK(clients.shards().size() == 3);
  CHECK(clients.usage().sessions == 0);
  clients.start();
  Threads threads;
  std::atomic<int> right = 0;
  std::atomic<int> done = 0;
  clients.for_each([&](ClientHub& hub) {
    if (hub.shard().is_current() && &clients.hub_of(hub.shard()) == &hub) ++right;
    {
      const MutexLock lock(threads.mutex);
      threads.seen.insert(std::this_thread::get_id());
    }
    ++done;
  });
  while (done < 3) std::this_thread::yield();
  clients.stop();
  CHECK(right == 3);
  const MutexLock lock(threads.mutex);
  CHECK(threads.seen.size() == 3);
}

}  // namespace tandem
