#include "server/storage/file_system.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_file_system.h"
#include "tests/support/print.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;

TEST_CASE("The folder of a path is the part before its last slash") {
  CHECK(folder_of("db") == ".");
  CHECK(folder_of("a/b/db") == "a/b");
  CHECK(folder_of("/db") == "/");
}

TEST_CASE("The lock of a database stands beside it") {
  CHECK(lock_path_of("db") == ".db.~lock~");
  CHECK(lock_path_of("/etc/ovn/ovnsb_db.db") == "/etc/ovn/.ovnsb_db.db.~lock~");
}

TEST_CASE("An I/O error carries the text of its errno apart") {
  const Error error = io_error("db", "write failed", {ENOSPC, boost::system::generic_category()});
  CHECK(error.tag == "I/O error");
  CHECK(error.details == "db: write failed");
  CHECK(error.io_error == "No space left on device");
  CHECK(error.to_string() == "I/O error: db: write failed (No space left on device)");
}

TEST_CASE("A range is copied whole or not at all") {
  FakeFileSystem disk;
  const std::string bytes = "head" + std::string(3 << 20, 'x') + "tail";
  disk.put("a", bytes);
  const auto from = disk.open("a", FileSystem::Access::kReadOnly).value();
  const auto to = disk.create("b", nullptr).value();
  REQUIRE(copy_range(*from, 2, bytes.size() - 1, *to, 1));
  CHECK(disk.contents("b") == std::string(1, '\0') + bytes.substr(2, bytes.size() - 3));
  CHECK(copy_range(*from, 5, 5, *to, 0));
  CHECK(copy_range(*from, 0, bytes.size() + 1, *to, 0).error().value() == EIO);
}
