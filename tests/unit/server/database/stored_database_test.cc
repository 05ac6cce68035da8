#include "server/database/stored_database.h"

#include "engine.h"
#include "protocol/json/json_reader.h"
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

  std::unique_ptr<StoredDatabase> open(std::optional<std::size_t> history_bytes = {}) {
    auto stored = StoredDatabase::open(disk_, "db", {.history_bytes = history_bytes}, clock_);
    REQUIRE(stored.has_value());
    return std::move(*stored);
  }

  test::FakeFileSystem& disk() { return disk_; }

  /// Inserts so many rows, each with so many bytes, a transaction each.
  static void insert(StoredDatabase& stored, int rows, std::size_t bytes) {
    for (int i = 0; i < rows; ++i) {
      const auto params = parse_json(R"(["T",{"op":"insert","table":"t","row":{"s":")" +
                                     std::string(bytes, 'x') + R"("}}])");
      Transaction transaction = Transaction::from_json(stored.schema(), *params);
      REQUIRE(stored.execute(transaction, {}).commit);
    }
    REQUIRE(stored.flush().has_value());
  }

 private:
  test::FakeFileSystem disk_;
  StillClock clock_;
};

Result<void> convert(StoredDatabase& stored, const SchemaRef& schema) {
  auto converted = stored.converted_to(schema);
  if (!converted) return converted.error();
  Result<void> written = stored.write(*converted);
  if (written) stored.adopt(std::move(*converted));
  return written;
}

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
  auto stored = site.open(64U << 20);
  Site::insert(*stored, 40, 100'000);
  const std::size_t all = stored->history().size();
  const Uuid newest = stored->history().newest_id();
  stored.reset();

  stored = site.open(64U << 20);
  CHECK(all == 40);
  CHECK(stored->history().size() > 10);
  CHECK(stored->history().size() < 30);
  CHECK(stored->history().newest_id() == newest);
  CHECK(stored->history().oldest_position().index ==
        stored->position().index - stored->history().size());
}

TEST_CASE("a history without a size of its own holds as much as suits the number of rows") {
  Site site;
  auto stored = site.open();
  Site::insert(*stored, 40, 100'000);
  CHECK(stored->history().bytes() <= 4U << 20);
  CHECK(stored->history().size() > 10);

  Site::insert(*stored, 40'000, 1);
  CHECK(stored->history().bytes() > 9'000'000);
  CHECK(stored->history().bytes() <= 256 * 40'040);
}

namespace {

constexpr std::string_view kFollowed =
    R"({"name":"T","tables":{"t":{"isRoot":true,"indexes":[["s"]],
  "columns":{"s":{"type":"string"},"seen":{"type":"integer","ephemeral":true}}}}})";

/// A backup's database, and what an active may send to it.
class Followed {
 public:
  Followed() {
    REQUIRE(storage::LogFile::create(disk_, "db", to_text(parse_json(kFollowed).value())));
    stored_ = StoredDatabase::open(disk_, "db", {}, clock_).value();
    REQUIRE(send(row(1, R"({"s":"a"})")) == "");
  }
  /// The error, or nothing.
  std::string send(const std::string& text, const std::string& ephemeral = "") {
    StreamRecord record;
    record.record = text;
    record.position = stored_->position();
    if (!text.empty()) {
      const storage::PreparedRecord prepared = storage::prepare_record(text);
      std::string comment;
      if (const auto value = parse_json(text); value) {
        const JsonView at = value->root().find("_comment");
        if (at.is_string()) comment = at.get_string();
      }
      record.position = after_record(record.position, prepared.sha1, comment);
    }
    record.id = record.position.digest;
    record.ephemeral = ephemeral;
    const Result<CommitRef> staged = stored_->stage_record(record);
    REQUIRE(stored_->flush());
    return staged ? "" : staged.error().to_string();
  }
  std::string contents() const { return record_of(stored_->database().snapshot()); }
  std::string contents_of_file() {
    stored_.reset();
    stored_ = StoredDatabase::open(disk_, "db", {}, clock_).value();
    CHECK(!stored_->log()->tail_error());
    return contents();
  }
  static std::string row(int n, const std::string& text) {
    return R"({"t":{")" + uuid(n) + "\":" + text + "}}";
  }
  static std::string update(int n, const std::string& text) {
    return R"({"t":{")" + uuid(n) + "\":" + text + "}}";
  }

 private:
  test::FakeFileSystem disk_;
  StillClock clock_;
  std::unique_ptr<StoredDatabase> stored_;
};

}  // namespace

TEST_CASE("a record of the active that cannot be is an error, and leaves the database as it was") {
  const std::string a = uuid(1);
  const struct {
    const char* what;
    std::string record;
    std::string ephemeral = "";
  } cases[] = {
      {"no JSON", "x"},
      {"nothing but space", " "},
      {"two records", "{}{}"},
      {"two lines", "{}\n"},
      {"a header inside", "{\nOVSDB JSON 1 x\n}"},
      {"an array", "[]"},
      {"a schema", std::string(kSchema)},
      {"an unknown table", R"({"u":{}})"},
      {"an unknown column", Followed::row(1, R"({"u":1})")},
      {"another type", Followed::row(1, R"({"s":1})")},
      {"a row that is none", Followed::row(1, "5")},
      {"deletion of an unknown row", Followed::row(2, "null")},
      {"a second row of an index key", Followed::row(2, R"({"s":"a"})")},
      {"persistent values beside it", Followed::row(1, R"({"s":"b"})"),
       Followed::update(1, R"({"old":{},"new":{"s":"c"}})")},
      {"a new row beside it", "{}", Followed::update(2, R"({"new":{"seen":1}})")},
      {"a deletion beside it", "{}", Followed::update(1, R"({"old":{}})")},
      {"an unknown row beside it", "{}", Followed::update(2, R"({"old":{},"new":{"seen":1}})")},
      {"an unknown table beside it", "{}", R"({"u":{}})"},
      {"an array beside it", "{}", "[]"},
      {"persistent values alone", "", Followed::update(1, R"({"old":{},"new":{"s":"c"}})")},
  };
  Followed followed;
  const std::string before = followed.contents();
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(followed.send(c.record, c.ephemeral) != "");
    CHECK(followed.contents() == before);
  }
  CHECK(followed.send("{}", Followed::update(1, R"({"old":{},"new":{"seen":4}})")) == "");
  CHECK(followed.contents_of_file() == before);
}

TEST_CASE("a record of the active that names a table twice does what the file then says") {
  Followed followed;
  const std::string twice = R"({"t":{")" + uuid(1) + R"(":null},"t":{")" + uuid(1) + R"(":null}})";
  CHECK(followed.send(twice) == "");
  const std::string contents = followed.contents();
  CHECK(contents == R"({"_date":7,"_is_diff":true})");
  CHECK(followed.contents_of_file() == contents);
}

TEST_CASE(
    "memory and file agree when a conversion's file took its place but its folder cannot be "
    "synced") {
  Site site;
  auto stored = site.open();
  Site::insert(*stored, 1, 3);
  const SchemaRef schema = schema_of(
      R"({"name":"T","tables":{"t":{"isRoot":true,"columns":{"s":{"type":"string"},"n":{"type":"integer"}}}}})");
  site.disk().keep_failing(test::FakeFileSystem::Op::kSyncFolder, EIO);
  CHECK(convert(*stored, schema).has_value());
  CHECK(to_text(*stored->schema()) == to_text(*schema));
  CHECK(stored->log()->health().stopped);
  const Position position = stored->position();
  stored.reset();
  site.disk().heal_all();
  stored = site.open();
  CHECK(to_text(*stored->schema()) == to_text(*schema));
  CHECK(stored->position() == position);
}

TEST_CASE("a conversion whose file cannot take its place changes nothing") {
  Site site;
  auto stored = site.open();
  site.disk().fail(test::FakeFileSystem::Op::kRename, EIO);
  const std::string before = to_text(*stored->schema());
  CHECK_FALSE(
      convert(*stored,
              schema_of(R"({"name":"T","tables":{"u":{"columns":{"n":{"type":"integer"}}}}})"))
          .has_value());
  CHECK(to_text(*stored->schema()) == before);
}

TEST_CASE("a damaged file takes an active's commits, and is kept aside before") {
  Site site;
  std::string record;
  Position after;
  {
    auto stored = site.open();
    Site::insert(*stored, 2, 10);
    const std::string file = site.disk().contents("db");
    record = file.substr(file.find('\n', file.rfind("OVSDB JSON")) + 1);
    record.pop_back();
    after = stored->position();
    Site::insert(*stored, 2, 10);
  }
  // The second row's record is lost, with two whole ones behind it.
  std::string damaged = site.disk().contents("db");
  damaged[damaged.find(record) + 2] ^= 1;
  site.disk().put("db", damaged);
  auto stored = site.open();
  REQUIRE(stored->is_damaged());

  stored->stage_comment("its own");
  CHECK(stored->flush().error().tag == "not allowed");
  CHECK(convert(*stored, stored->schema()).error().tag == "not allowed");
  CHECK(site.disk().contents("db") == damaged);

  StreamRecord told;
  told.position = after;
  told.id = after.digest;
  told.record = record;
  REQUIRE(stored->stage_record(told).has_value());
  REQUIRE(stored->flush().has_value());
  CHECK(stored->position() == after);
  CHECK(site.disk().contents("db.damaged-19700101T000000Z") == damaged);
  CHECK(stored->is_damaged());  // until it has all that the active has
}
