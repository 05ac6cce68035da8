#include "server/backup/diverged_file.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "protocol/json/json_reader.h"
#include "server/database/stored_database.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/stopped_clock.h"

namespace tandem {
namespace {

/// A database with one row, "a", to which more is written.
struct Diverged {
  test::FakeFileSystem disk;
  test::StoppedClock clock;
  std::unique_ptr<StoredDatabase> stored;
  Position fork;

  Diverged() {
    const char* const schema =
        R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"string"}},"isRoot":true}}})";
    static_cast<void>(storage::LogFile::create(disk, "/db", schema).value());
    stored = open("/db", storage::LogFile::Access::kReadWrite);
    run(R"({"op":"insert","table":"T","row":{"n":"a"}})");
    fork = stored->position();
    run(R"({"op":"update","table":"T","where":[],"row":{"n":"b"}})");
    run(R"({"op":"insert","table":"T","row":{"n":"c"}})");
  }
  std::unique_ptr<StoredDatabase> open(const std::string& path, storage::LogFile::Access access) {
    StoredDatabase::Options options;
    options.access = access;
    return StoredDatabase::open(disk, path, options, clock).value();
  }
  void run(const std::string& operation) {
    Transaction transaction =
        Transaction::from_json(stored->schema(), parse_json("[\"D\"," + operation + "]").value());
    REQUIRE(stored->execute(transaction, TransactContext{}).commit);
    REQUIRE(stored->flush());
  }
  static std::size_t rows(const StoredDatabase& database) {
    return database.database().snapshot().tables[0].size();
  }
};

TEST_CASE_METHOD(Diverged, "a file of records replays to the contents that were given up") {
  const auto saved =
      save_diverged(disk, clock, "/db", *stored->schema(), *stored->history().behind(fork.index));
  REQUIRE(saved.has_value());
  CHECK(saved.value().path == "/db.diverged-20231114T221320Z");
  CHECK(saved.value().records == 2);
  const auto file = open(saved.value().path, storage::LogFile::Access::kReadOnly);
  CHECK(rows(*file) == 2);
  CHECK(file->position() == stored->position());
  REQUIRE(file->history().size() == 2);
  CHECK(file->history().commits()[0]->changes[0].before);
}

TEST_CASE_METHOD(Diverged, "a file of all rows stands where the database stood") {
  const auto saved =
      save_diverged(disk, clock, "/db", stored->database().snapshot(), stored->standing());
  REQUIRE(saved.has_value());
  const auto file = open(saved.value().path, storage::LogFile::Access::kReadOnly);
  CHECK(rows(*file) == 2);
  CHECK(file->position() == stored->position());
}

TEST_CASE_METHOD(Diverged, "files of one second do not overwrite each other") {
  const auto save = [&] {
    return save_diverged(disk, clock, "/db", stored->database().snapshot(), stored->standing())
        .value()
        .path;
  };
  CHECK(save() == "/db.diverged-20231114T221320Z");
  CHECK(save() == "/db.diverged-20231114T221320Z-2");
}

TEST_CASE_METHOD(Diverged, "what cannot be saved is told, and nothing is left of it") {
  const std::set<std::string> before = disk.paths();
  for (const auto op : {test::FakeFileSystem::Op::kWrite, test::FakeFileSystem::Op::kSync}) {
    disk.fail(op, ENOSPC, 1);
    CHECK_FALSE(save_diverged(disk, clock, "/db", stored->database().snapshot(), stored->standing())
                    .has_value());
    std::set<std::string> after = disk.paths();
    std::erase_if(after, [](const std::string& path) { return path.find(".~lock~") != path.npos; });
    std::set<std::string> files = before;
    std::erase_if(files, [](const std::string& path) { return path.find(".~lock~") != path.npos; });
    CHECK(after == files);
  }
}

}  // namespace
}  // namespace tandem
