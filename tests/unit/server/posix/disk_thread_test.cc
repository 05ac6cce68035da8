#include "server/posix/disk_thread.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tandem {
namespace {

/// A disk that hangs until it is told to answer.
class Disk {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return answers_; });
  }
  void answer() {
    const std::lock_guard lock(mutex_);
    answers_ = true;
    answered_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable answered_;
  bool answers_ = false;
};

TEST_CASE(
    "what is asked of the disk is done when whoever asked goes on, with a thread or without") {
  const auto here = std::this_thread::get_id();
  std::thread::id where;
  DiskThread disk;
  CHECK(disk.run([&] { where = std::this_thread::get_id(); }));
  CHECK(where == here);
  disk.start();
  CHECK(disk.run([&] { where = std::this_thread::get_id(); }));
  CHECK(where != here);
}

TEST_CASE("nobody waits for a disk that hangs, and what was asked of it is done in order") {
  Disk hanging;
  std::vector<int> done;
  {
    DiskThread disk;
    disk.start();
    CHECK_FALSE(disk.run([&] {
      hanging.wait();
      done.push_back(0);
    }));
    for (int i = 1; i < 1000; ++i) CHECK_FALSE(disk.run([&done, i] { done.push_back(i); }));
    hanging.answer();
  }
  REQUIRE(done.size() == 1000);
  for (int i = 0; i < 1000; ++i) CHECK(done[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("when the disk answers again, it is waited for again") {
  Disk hanging;
  DiskThread disk;
  disk.start();
  CHECK_FALSE(disk.run([&] { hanging.wait(); }));
  hanging.answer();
  // That the first one has ended is seen by the next one, or the one after it.
  while (!disk.run([] {})) std::this_thread::yield();
  CHECK(disk.run([] {}));
}

TEST_CASE("what a job holds is let go where the disk is waited for") {
  DiskThread disk;
  disk.start();
  std::thread::id where;
  auto file = std::shared_ptr<int>(new int(1), [&](const int* p) {
    delete p;
    where = std::this_thread::get_id();
  });
  disk.run([held = std::exchange(file, nullptr)] {});
  disk.run([] {});
  CHECK(where != std::thread::id());
  CHECK(where != std::this_thread::get_id());
}

}  // namespace
}  // namespace tandem
