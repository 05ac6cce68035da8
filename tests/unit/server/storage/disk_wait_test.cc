#include "server/storage/disk_wait.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_file_system.h"

using namespace tandem::storage;
using namespace tandem::test;
using namespace std::chrono_literals;

namespace {

DiskWait::Moment now;

}  // namespace

TEST_CASE("A call of the disk is waited for from its begin to its end") {
  now = DiskWait::Moment(1h);
  DiskWait wait([] { return now; });
  CHECK(wait.waited() == 0s);
  {
    const DiskWait::Call call(wait);
    now += 3s;
    CHECK(wait.waited() == 3s);
  }
  now += 1s;
  CHECK(wait.waited() == 0s);
}

TEST_CASE("With each answer the disk is waited for anew") {
  now = DiskWait::Moment(1h);
  FakeFileSystem disk;
  disk.put("file", "12345");
  const auto opened = disk.open("file", FileSystem::Access::kReadWrite).value();
  DiskWait wait([] { return now; });
  WatchedFile file(*opened, wait);
  for (const auto op : {FakeFileSystem::Op::kRead, FakeFileSystem::Op::kWrite,
                        FakeFileSystem::Op::kTruncate, FakeFileSystem::Op::kSync})
    disk.during_each(op, [] { now += 4s; });
  const std::string_view piece = "67";
  char byte;
  const DiskWait::Call call(wait);
  CHECK(file.write_at(5, {&piece, 1}));
  CHECK(wait.waited() == 0s);
  CHECK(file.sync());
  CHECK(wait.waited() == 0s);
  CHECK(file.read_at(0, {&byte, 1}));
  CHECK(wait.waited() == 0s);
  CHECK(file.truncate(6));
  CHECK(wait.waited() == 0s);
  CHECK(disk.contents("file") == "123456");
  now += 5s;
  CHECK(wait.waited() == 5s);
}

TEST_CASE("An answer to nobody is none") {
  now = DiskWait::Moment(1h);
  DiskWait wait([] { return now; });
  wait.answered();
  now += 5s;
  CHECK(wait.waited() == 0s);
}
