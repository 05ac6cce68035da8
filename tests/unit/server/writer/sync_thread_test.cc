#include "server/writer/sync_thread.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <vector>

#include "tests/support/fake_file_system.h"
#include "tests/unit/server/storage/log_text.h"

namespace tandem {
namespace {

struct Disk {
  test::FakeFileSystem files;

  std::shared_ptr<storage::LogFile> make(const std::string& name) {
    auto log = storage::LogFile::create(files, name, test::kSchema);
    REQUIRE(log);
    files_synced = files.calls(test::FakeFileSystem::Op::kSync);
    return std::move(*log);
  }
  /// Since the last log was made.
  int syncs() const { return files.calls(test::FakeFileSystem::Op::kSync) - files_synced; }

  int files_synced = 0;
};

/// Keeps the thread busy until the promise is kept.
std::shared_ptr<std::promise<void>> keep_busy(SyncThread& thread,
                                              const std::shared_ptr<storage::LogFile>& log) {
  auto begun = std::make_shared<std::promise<void>>();
  auto end = std::make_shared<std::promise<void>>();
  thread.sync(log, [begun, end](const Result<void>&) {
    begun->set_value();
    end->get_future().wait();
  });
  begun->get_future().wait();
  return end;
}

TEST_CASE("A flush serves all who asked before it, and each of their logs once") {
  Disk disk;
  const auto one = disk.make("/one");
  const auto two = disk.make("/two");
  std::atomic<int> served = 0;
  {
    SyncThread thread;
    const auto end = keep_busy(thread, one);
    for (int i = 0; i < 3; ++i) {
      for (const auto& log : {one, two})
        thread.sync(log, [&](const Result<void>& synced) { served += synced ? 1 : 0; });
    }
    CHECK(served == 0);
    end->set_value();
  }  // ends when nobody waits
  CHECK(served == 6);
  CHECK(disk.syncs() == 3);
}

TEST_CASE("Whoever asks for a log that cannot be synced is told, others are not held up") {
  Disk disk;
  const auto good = disk.make("/good");
  const auto bad = disk.make("/bad");
  std::vector<bool> outcomes;
  {
    SyncThread thread;
    const auto note = [&](const Result<void>& synced) { outcomes.push_back(bool(synced)); };
    const auto end = keep_busy(thread, good);
    disk.files.fail(test::FakeFileSystem::Op::kSync, EIO);
    for (const auto& log : {bad, good, bad}) thread.sync(log, note);
    end->set_value();
  }
  CHECK(outcomes == std::vector<bool>{false, false, true});
}

}  // namespace
}  // namespace tandem
