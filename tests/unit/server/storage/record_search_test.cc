#include "server/storage/record_search.h"

#include <catch2/catch.hpp>

#include "server/storage/sha1.h"
#include "tests/support/fake_file_system.h"
#include "tests/unit/server/storage/log_text.h"

using namespace tandem;
using namespace tandem::storage;
using namespace tandem::test;
using Op = FakeFileSystem::Op;

namespace {

/// Where whole records begin.
std::vector<std::uint64_t> found_in(const std::string& text, std::uint64_t from = 0) {
  FakeFileSystem disk;
  disk.put("db", text);
  const auto file = disk.open("db", FakeFileSystem::Access::kReadOnly).value();
  RecordSearch search = RecordSearch::begin(*file, from).value();
  std::vector<std::uint64_t> begins;
  while (const auto place = search.next().value()) begins.push_back(place->begin);
  return begins;
}

}  // namespace

TEST_CASE("Whole records are found behind rubbish, wherever it ends") {
  const std::string record = record_text(R"({"a":1})");
  const std::size_t length = GENERATE(0U, 1U, 127U, 128U, (1U << 20) - 11, (1U << 20) - 5, 1U << 20,
                                      (1U << 20) + 1, (2U << 20) - 20);
  CHECK(found_in(std::string(length, 'x') + record + record) ==
        std::vector<std::uint64_t>{length, length + record.size()});
}

TEST_CASE("A record that is longer than a piece is found") {
  const std::string record = record_text(std::string(3 << 20, 'x'));
  CHECK(found_in("xxx" + record + "xxx") == std::vector<std::uint64_t>{3});
}

TEST_CASE("A header without its body is no record") {
  const std::string record = record_text(R"({"a":1})");
  std::string damaged = record;
  damaged[damaged.size() - 3] = '7';
  CHECK(found_in(damaged).empty());
  CHECK(found_in(record.substr(0, record.size() - 1)).empty());
  CHECK(found_in(damaged + record) == std::vector<std::uint64_t>{damaged.size()});
  CHECK(found_in("OVSDB JSON OVSDB JSON " + record) == std::vector<std::uint64_t>{22});
}

TEST_CASE("A search may begin within a record") {
  const std::string record = record_text(R"({"a":1})");
  CHECK(found_in(record + record, 1) == std::vector<std::uint64_t>{record.size()});
  CHECK(found_in(record, 5000).empty());
}

TEST_CASE("Many headers that promise long bodies cost no more than the file is long") {
  std::string text;
  const std::string length = "1000000";
  while (text.size() < 2'000'000)
    text += "OVSDB JSON " + length + " " + std::string(40, 'a') + "\n";
  FakeFileSystem disk;
  disk.put("db", text);
  const auto file = disk.open("db", FakeFileSystem::Access::kReadOnly).value();
  CHECK(count_whole_records(*file, 0).value() == 0);
  CHECK(disk.calls(Op::kRead) < 200);
}

TEST_CASE("A disk that does not read ends the search with its error") {
  FakeFileSystem disk;
  disk.put("db", record_text("{}"));
  const auto file = disk.open("db", FakeFileSystem::Access::kReadOnly).value();
  disk.fail(Op::kRead, EIO);
  CHECK(count_whole_records(*file, 0).error().value() == EIO);
}
