#include "server/backup/database_replica.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "protocol/json/json_reader.h"
#include "tests/support/writer_site.h"

namespace tandem {
namespace {

/// A backup of D, its replica, and what the replica told.
struct Backup : test::WriterSite {
  explicit Backup(std::set<std::string> excluded = {}) {
    on_writer([&] { server.set_backup(database(), true); });
    replica = std::make_unique<DatabaseReplica>(server, thread, database().info, excluded);
  }
  /// What the replica does is done, and told.
  void run() {
    do {
      thread.run();
      runner.run();
    } while (!thread.idle());
  }
  Replica::Done note() {
    return [this](const Result<void>& outcome) {
      told.push_back(outcome ? "done" : outcome.error().to_string());
    };
  }
  Replica::Appended note_appended() {
    return [this](const Result<void>& outcome, bool more) {
      told.push_back((outcome ? "done" : outcome.error().tag) + (more ? " more" : ""));
    };
  }
  /// Rows as <table-updates>: {"T":{"UUID":{"new":{"n":1}}}}.
  std::vector<RowUpdate> rows(const std::string& text) {
    return table_updates_from_json(*database().info->schema, MonitorVersion::kUpdate,
                                   parse_json(text).value())
        .value();
  }
  std::size_t size() { return database().stored->database().snapshot().tables.at(0).size(); }
  std::uint64_t records() { return database().stored->position().index; }
  Standing standing() {
    Standing standing;
    replica->standing([&](const Standing& now) { standing = now; });
    run();
    return standing;
  }

  FakeRunner thread;
  std::unique_ptr<DatabaseReplica> replica;
  std::vector<std::string> told;
};

std::string row(int number, int n) {
  const std::string uuid = "00000000-0000-0000-0000-00000000000" + std::to_string(number);
  return "\"" + uuid + R"(":{"new":{"n":)" + std::to_string(n) + "}}";
}
std::string table(const std::string& of_rows) { return R"({"T":{)" + of_rows + "}}"; }

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("a resync makes the database hold exactly these rows, by one record") {
  Backup backup;
  backup.replica->resync(backup.rows(table(row(1, 1) + "," + row(2, 2))), backup.note());
  backup.run();
  CHECK(backup.told == Told{"done"});
  CHECK(backup.size() == 2);
  CHECK(backup.records() == 1);
  SECTION("and writes nothing where nothing differs") {
    backup.replica->resync(backup.rows(table(row(1, 1) + "," + row(2, 2))), backup.note());
    backup.run();
    CHECK(backup.records() == 1);
  }
  SECTION("whatever was there") {
    backup.replica->resync(backup.rows(table(row(2, 7))), backup.note());
    backup.run();
    CHECK(backup.size() == 1);
    CHECK(backup.records() == 2);
  }
  CHECK(backup.told == Told{"done", "done"});
}

TEST_CASE("tables that are left out keep what they have") {
  Backup backup({"T"});
  CHECK(backup.replica->excluded(0));
  backup.replica->resync({}, backup.note());
  backup.on_writer([&] { backup.server.set_backup(backup.database(), false); });
  backup.write();
  backup.on_writer([&] { backup.server.set_backup(backup.database(), true); });
  backup.run();
  backup.replica->resync({}, backup.note());
  backup.run();
  CHECK(backup.size() == 1);
}

TEST_CASE("a commit that does not fit what is held changes nothing") {
  Backup backup;
  backup.replica->apply(backup.rows(table(row(1, 1))), backup.note());
  backup.run();
  backup.replica->apply(backup.rows(table(row(2, 2) + "," + row(1, 1))), backup.note());
  backup.run();
  REQUIRE(backup.told.size() == 2);
  CHECK(backup.told[0] == "done");
  CHECK(backup.told[1] != "done");
  CHECK(backup.size() == 1);
}

TEST_CASE("what the log does not take is told, and is not held") {
  Backup backup;
  backup.files.fail(test::FakeFileSystem::Op::kWrite, ENOSPC);
  backup.replica->apply(backup.rows(table(row(1, 1))), backup.note());
  backup.run();
  REQUIRE(backup.told.size() == 1);
  CHECK_THAT(backup.told[0], Catch::Contains("No space left on device"));
  CHECK(backup.size() == 0);
}

TEST_CASE("records of an active are taken as they stand in its log, and told of in a row") {
  test::WriterSite active;
  struct Records final : CommitObserver {
    void on_logged(const ServedDatabase& database, const CommitRef& commit) override {
      if (database.is_built_in()) return;
      all.push_back({commit->position, commit->id, commit->record, false, ""});
    }
    void on_databases_changed() override {}
    std::vector<StreamRecord> all;
  } records;
  active.server.add_observer(records);
  for (int i = 0; i < 3; ++i) active.write();
  REQUIRE(records.all.size() == 3);
  Backup backup;
  SECTION("one log write for all") {
    backup.on_writer([&] {
      for (const StreamRecord& record : records.all)
        backup.replica->append(record, backup.note_appended());
    });
    backup.run();
    CHECK(backup.told == Told{"done more", "done more", "done"});
    CHECK(backup.database().stored->position() == records.all.back().position);
    CHECK(backup.standing().position == records.all.back().position);
  }
  SECTION("but none that does not follow from what is held") {
    backup.replica->append(records.all[1], backup.note_appended());
    backup.run();
    CHECK(backup.told == Told{"diverged"});
    CHECK(backup.size() == 0);
  }
}

TEST_CASE("one that is no backup any more takes nothing") {
  Backup backup;
  backup.on_writer([&] { backup.server.promote(backup.database()).value(); });
  backup.replica->resync(backup.rows(table(row(1, 1))), backup.note());
  backup.replica->apply(backup.rows(table(row(1, 1))), backup.note());
  backup.replica->append({}, backup.note_appended());
  backup.replica->make_durable(backup.note());
  backup.run();
  CHECK(backup.told.size() == 4);
  for (const std::string& told : backup.told) CHECK_THAT(told, Catch::StartsWith("not allowed"));
  CHECK(backup.size() == 0);
}

TEST_CASE("nor does one of a database that another has taken the place of") {
  Backup backup;
  backup.on_writer([&] {
    const SchemaRef schema =
        DatabaseSchema::from_text(
            R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}},"isRoot":true},
                "U":{"columns":{"m":{"type":"integer"}}}}})")
            .value();
    backup.server.convert(backup.database(), schema).value();
  });
  backup.replica->resync({}, backup.note());
  backup.run();
  REQUIRE(backup.told.size() == 1);
  CHECK_THAT(backup.told[0], Catch::StartsWith("not allowed"));
}

TEST_CASE("nobody is told of what was under way when the replica went") {
  Backup backup;
  backup.replica->apply(backup.rows(table(row(1, 1))), backup.note());
  backup.replica->resync({}, backup.note());
  backup.replica.reset();
  backup.run();
  CHECK(backup.told.empty());
}

TEST_CASE("records that only this copy has are set aside, all rows where they are not known") {
  Backup backup;
  backup.replica->apply(backup.rows(table(row(1, 1))), backup.note());
  backup.replica->apply(backup.rows(table(row(2, 2))), backup.note());
  backup.run();
  std::vector<Replica::Aside> aside;
  const auto note = [&](const Result<Replica::Aside>& outcome) {
    aside.push_back(outcome.value());
  };
  backup.replica->set_aside({.common = 1, .digest = {}}, note);
  backup.replica->set_aside({}, note);
  backup.run();
  REQUIRE(aside.size() == 2);
  CHECK(aside[0].records == 1);
  CHECK_THAT(aside[0].file, Catch::StartsWith("/D.diverged-"));
  CHECK(aside[1].records == 1);
  CHECK(aside[0].file != aside[1].file);
}

}  // namespace tandem
