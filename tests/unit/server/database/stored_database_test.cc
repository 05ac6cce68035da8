#include "server/database/stored_database.h"

#include "engine.h"
#include "tests/support/fake_file_system.h"

using namespace tandem;

namespace {

class StillClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 7; }
  std::int64_t monotonic_ms() const override { return 7; }
};

constexpr std::string_view kSchema =
    R"({"name":"T","tables":{"t":{"isRoot":true,"columns":{"s":{"type":"string"}}}}})";

/// A disk with a database file to which transactions are appended.
class Site {
 public:
  Site() {
    const auto log = storage::LogFile::create(disk_, "db", std::string(kSchema));
    REQUIRE(log.has_value());
  }

  std::unique_ptr<StoredDatabase> open() {
    auto stored = StoredDatabase::open(disk_, "db", {}, clock_);
    REQUIRE(stored.has_value());
    return std::move(*stored);
  }

  /// Inserts so many rows, each with so many bytes, a transaction each.
  static void insert(StoredDatabase& stored, int rows, std::size_t bytes) {
    for (int i = 0; i < rows; ++i) {
      const auto params = parse_json(R"(["T",{"op":"insert","table":"t","row":{"s":")" +
                                     std::string(bytes, 'x') + R"("}}])");
      Transaction transaction = Transaction::from_json(stored.schema(), params->get_array());
      REQUIRE(stored.execute(transaction, {}).commit);
    }
    REQUIRE(stored.flush().has_value());
  }

 private:
  test::FakeFileSystem disk_;
  StillClock clock_;
};

}  // namespace

TEST_CASE("who knew the last commits before a restart resumes after it") {
  Site site;
  auto stored = site.open();
  Site::insert(*stored, 10, 10);
  const Uuid known = stored->history().newest_id();
  Site::insert(*stored, 5, 10);
  const Position position = stored->position();
  stored.reset();

  stored = site.open();
  CHECK(stored->position() == position);
  REQUIRE(stored->history().since(known));
  CHECK(stored->history().since(known)->size() == 5);
}

TEST_CASE("the history at the start has the newest records, and not all of a long log") {
  Site site;
  auto stored = site.open();
  Site::insert(*stored, 40, 100'000);
  const std::size_t all = stored->history().size();
  const Uuid newest = stored->history().newest_id();
  stored.reset();

  stored = site.open();
  CHECK(all == 40);
  CHECK(stored->history().size() > 10);
  CHECK(stored->history().size() < 30);
  CHECK(stored->history().newest_id() == newest);
  CHECK(stored->history().oldest_position().index ==
        stored->position().index - stored->history().size());
}
