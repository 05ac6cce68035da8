#pragma once

#include <cstdint>
#include <utility>

#include "server/writer/database_server.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/fake_runner.h"

namespace tandem::test {

/// All is on the disk at once.
class NoSyncer final : public Syncer {
 public:
  void sync(std::shared_ptr<storage::LogFile> /*log*/, Done done) override { done({}); }
};

class SetClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000; }
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t now_ms = 1000;
};

/// A server of the database D, in the file "/D": a table T with an integer n.
struct WriterSite {
  WriterSite() {
    static_cast<void>(
        storage::LogFile::create(
            files, "/D",
            R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}},"isRoot":true}}})")
            .value());
    on_writer([&] { server.add(StoredDatabase::open(files, "/D", {}, clock).value()).value(); });
  }
  void on_writer(Task task) { server.call(std::move(task), runner); }
  ServedDatabase& database() { return *server.find("D"); }
  void write() {
    on_writer(
        [&] { server.transact_internal(database(), R"({"op":"insert","table":"T","row":{}})"); });
  }
  void tick() {
    on_writer([&] { server.tick(); });
  }

  SetClock clock;
  FakeFileSystem files;
  NoSyncer syncer;
  FakeRunner background;
  FakeRunner runner;
  std::int64_t wake_ms = -1;
  DatabaseServer server{
      {clock, files, syncer, background, [this](std::int64_t at_ms) { wake_ms = at_ms; }}};
};

}  // namespace tandem::test
