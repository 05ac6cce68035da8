#include "server/storage/posix_file_system.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

using namespace tandem;
using namespace tandem::storage;

namespace {

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/tandem-storage-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_all(const File& file) {
  std::string bytes(file.size().value() + 10, '?');
  bytes.resize(file.read_at(0, bytes).value());
  return bytes;
}

}  // namespace

TEST_CASE("Thousands of pieces land in one row") {
  PosixFileSystem files;
  const Folder folder;
  const auto file = files.create(folder / "db", nullptr).value();
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; i++) texts.push_back(i % 7 ? std::to_string(i) : "");
  std::string expected = "..";
  for (const std::string& text : texts) expected += text;
  const std::vector<std::string_view> pieces(texts.begin(), texts.end());
  const std::string_view start = "..";
  REQUIRE(file->write_at(0, {&start, 1}));
  REQUIRE(file->write_at(2, pieces));
  CHECK(read_all(*file) == expected);
  REQUIRE(file->truncate(3));
  CHECK(read_all(*file) == "..1");
  CHECK(file->sync());
  CHECK(files.sync_folder(folder_of(folder / "db")));
}

TEST_CASE("Room for a file is told without taking any") {
  PosixFileSystem files;
  const Folder folder;
  const auto file = files.create(folder / "db", nullptr).value();
  const std::string_view text = "text";
  REQUIRE(file->write_at(0, {&text, 1}));
  CHECK(file->room(4).value() > 0);
  struct stat status {};
  REQUIRE(::stat((folder / "db").c_str(), &status) == 0);
  CHECK(status.st_size == 4);
  CHECK(status.st_blocks * 512 <= 64 << 10);

  const rlimit before = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    return limit;
  }();
  const rlimit small{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  CHECK(file->room(4).value() <= 996);
  CHECK(file->room(2000).value() == 0);
  ::setrlimit(RLIMIT_FSIZE, &before);
}

TEST_CASE("A file is made only where none is") {
  PosixFileSystem files;
  const Folder folder;
  REQUIRE(files.create(folder / "db", nullptr));
  CHECK(files.create(folder / "db", nullptr).error().value() == EEXIST);
  CHECK(files.open(folder / "none", FileSystem::Access::kReadWrite).error().value() == ENOENT);
  CHECK(files.open(folder / ".", FileSystem::Access::kReadWrite).error().value() == EISDIR);
}

TEST_CASE("A file is opened again only where its path leads to it") {
  PosixFileSystem files;
  const Folder folder;
  const auto file = files.create(folder / "db", nullptr).value();
  REQUIRE(::symlink("db", (folder / "link").c_str()) == 0);
  const auto again = files.open_again(folder / "link", *file);
  REQUIRE(again);
  CHECK((*again)->truncate(1));
  CHECK(file->size().value() == 1);
  REQUIRE(files.create(folder / "other", nullptr));
  CHECK(files.open_again(folder / "other", *file).error().value() == ESTALE);
  CHECK(files.open_again(folder / "none", *file).error().value() == ENOENT);
}

TEST_CASE("A file made like another has its permissions") {
  PosixFileSystem files;
  const Folder folder;
  const auto model = files.create(folder / "db", nullptr).value();
  REQUIRE(::chmod((folder / "db").c_str(), 0604) == 0);
  REQUIRE(files.create(folder / "db.tmp", model.get()));
  struct stat status;
  REQUIRE(::stat((folder / "db.tmp").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0604);
}

TEST_CASE("Links are followed to a target that may not exist yet") {
  PosixFileSystem files;
  const Folder folder;
  REQUIRE(::mkdir((folder / "a").c_str(), 0700) == 0);
  REQUIRE(::symlink("a/link", (folder / "first").c_str()) == 0);
  REQUIRE(::symlink("../db", (folder / "a/link").c_str()) == 0);
  CHECK(files.resolve(folder / "first").value() == folder / "a/../db");
  CHECK(files.resolve(folder / "plain").value() == folder / "plain");
  REQUIRE(::symlink((folder / "plain").c_str(), (folder / "absolute").c_str()) == 0);
  CHECK(files.resolve(folder / "absolute").value() == folder / "plain");
  REQUIRE(::symlink("loop", (folder / "loop").c_str()) == 0);
  CHECK(files.resolve(folder / "loop").error().value() == ELOOP);
}

TEST_CASE("A lock keeps this process out until it is released, by any name") {
  PosixFileSystem files;
  const Folder folder;
  REQUIRE(::symlink(".db.~lock~", (folder / "other").c_str()) == 0);
  auto held = files.lock(folder / ".db.~lock~");
  REQUIRE(held);
  CHECK(files.lock(folder / ".db.~lock~").error().value() == EDEADLK);
  CHECK(files.lock(folder / "other").error().value() == EDEADLK);
  held->reset();
  CHECK(files.lock(folder / "other"));
}

TEST_CASE("A lock keeps other processes out, also after it was tried again here") {
  PosixFileSystem files;
  const Folder folder;
  const auto held = files.lock(folder / ".db.~lock~");
  REQUIRE(held);
  REQUIRE(!files.lock(folder / ".db.~lock~"));
  const pid_t child = ::fork();
  if (child == 0) {
    struct flock request {};
    request.l_type = F_WRLCK;
    const int fd = ::open((folder / ".db.~lock~").c_str(), O_RDWR);
    ::_exit(::fcntl(fd, F_SETLK, &request) != 0 && errno == EAGAIN ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("A lock file that cannot be made is an error") {
  PosixFileSystem files;
  CHECK(files.lock("/nonexistent/.db.~lock~").error().value() == ENOENT);
}
