#include "server/logging/file_writer.h"

#include <catch2/catch.hpp>
#include <cerrno>

namespace tandem::log {
namespace {

/// A file on a disk that hangs when it is told to.
class Disk {
 public:
  LineOutput::Write write() {
    return [this](int, std::string_view text) {
      std::unique_lock lock(mutex_);
      changed_.notify_all();
      changed_.wait(lock, [this] { return !hangs_; });
      text = text.substr(0, room_);
      room_ -= text.size();
      text_ += text;
      errno = ENOSPC;  // if not all went
      changed_.notify_all();
      return text.size();
    };
  }
  void set_hanging(bool hangs) {
    const std::lock_guard lock(mutex_);
    hangs_ = hangs;
    changed_.notify_all();
  }
  void set_room(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    room_ = bytes;
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  void await(const std::string& text) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return text_ == text; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
  std::size_t room_ = static_cast<std::size_t>(-1);
  std::string text_;
};

const FileRef kFile = std::make_shared<const UniqueFd>();

TEST_CASE("a line stands in the log file when whoever wrote it goes on, with a thread or without") {
  Disk disk;
  FileWriter writer(disk.write());
  CHECK(writer.write(kFile, "one\n") == 0);
  CHECK(disk.text() == "one\n");
  writer.start_thread();
  CHECK(writer.write(kFile, "two\n") == 0);
  CHECK(disk.text() == "one\ntwo\n");
}

TEST_CASE("nobody waits for a log file whose disk hangs, and what was said follows in order") {
  Disk disk;
  std::string said;
  {
    FileWriter writer(disk.write());
    writer.start_thread();
    disk.set_hanging(true);
    for (int i = 0; i < 100; ++i) {
      const std::string line = std::to_string(i) + "\n";
      CHECK(writer.write(kFile, line) == 0);
      said += line;
    }
    CHECK(disk.text().empty());
    disk.set_hanging(false);
    disk.await(said);
  }
  CHECK(disk.text() == said);
}

TEST_CASE("lines of a log file that are more than may wait are lost and counted") {
  Disk disk;
  FileWriter writer(disk.write());
  writer.start_thread();
  disk.set_hanging(true);
  const std::string line(std::size_t{300} << 10, 'x');
  CHECK(writer.write(kFile, line) == 0);
  CHECK(writer.write(kFile, line) == 0);
  CHECK(writer.write(kFile, line) == 0);
  CHECK(writer.write(kFile, line) == 1);
  CHECK(writer.write(kFile, line) == 1);
  disk.set_hanging(false);
}

TEST_CASE("a line that a full disk has cut is counted, and the next one begins anew") {
  for (const bool with_thread : {false, true}) {
    Disk disk;
    FileWriter writer(disk.write());
    if (with_thread) writer.start_thread();
    disk.set_room(3);
    CHECK(writer.write(kFile, "first\n") == 1);
    disk.set_room(100);
    CHECK(writer.write(kFile, "second\n") == 0);
    CHECK(disk.text() == "fir\nsecond\n");
  }
}

TEST_CASE("a log file says why its last line did not go, until one does") {
  for (const bool with_thread : {false, true}) {
    Disk disk;
    FileWriter writer(disk.write());
    if (with_thread) writer.start_thread();
    CHECK(writer.write(kFile, "one\n") == 0);
    CHECK(writer.health().can_write());
    disk.set_room(0);
    CHECK(writer.write(kFile, "two\n") == 1);
    CHECK(writer.health().write_error == ENOSPC);
    CHECK_FALSE(writer.health().can_write());
    disk.set_room(100);
    CHECK(writer.write(kFile, "three\n") == 0);
    CHECK(writer.health().can_write());
  }
}

TEST_CASE("a log file whose disk hangs says for how long") {
  Disk disk;
  FileWriter writer(disk.write());
  writer.start_thread();
  disk.set_hanging(true);
  CHECK(writer.write(kFile, "one\n") == 0);
  CHECK(writer.write(kFile, "two\n") == 0);
  const auto before = writer.health().waiting;
  CHECK(before.count() > 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(writer.health().waiting > before);
  disk.set_hanging(false);
  disk.await("one\ntwo\n");
  CHECK(writer.write(kFile, "three\n") == 0);
  CHECK(writer.health().waiting.count() == 0);
}

TEST_CASE("a log file is said to fail in words for people") {
  FileHealth health;
  CHECK(health.fault().empty());
  health.path = "/x";
  health.waiting = kDiskPatience - std::chrono::milliseconds(1);
  CHECK(health.can_write());
  health.write_error = ENOSPC;
  CHECK(health.fault() == "/x: the last line was not written (No space left on device)");
  health.waiting = kDiskPatience;
  CHECK(health.fault() == "/x: the disk has not answered for 5s");
  health.open_error = ENOENT;
  CHECK(health.fault() == "/x: open failed (No such file or directory)");
}

}  // namespace
}  // namespace tandem::log
