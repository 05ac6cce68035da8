#pragma once

// What stands around the sessions: a DatabaseServer on a disk, a clock and threads that are fakes,
// and the hubs of two I/O threads. What of the server's interface the fuzz target calls, it calls
// here; all else goes through connections, as JSON-RPC messages.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/session/client_hub.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/fake_runner.h"

namespace tandem::fuzz {

class StageClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000 + now_ms; }
  std::int64_t monotonic_ms() const override { return now_ms; }
  std::int64_t now_ms = 1000;
};

/// An I/O thread whose tasks run when the script says so.
class StageShard final : public Shard {
 public:
  explicit StageShard(unsigned index) : index_(index) {}
  void post(Task task) override { runner_.post(std::move(task)); }
  bool is_current() const override { return runner_.is_current(); }
  unsigned index() const override { return index_; }
  void run() { runner_.run(); }
  bool idle() const { return runner_.idle(); }

 private:
  const unsigned index_;
  FakeRunner runner_;
};

/// Brings logs to the disk when the script says so.
class StageSyncer final : public Syncer {
 public:
  void sync(std::shared_ptr<storage::LogFile> log, Done done) override {
    requests_.emplace_back(std::move(log), std::move(done));
  }
  void run() {
    for (auto& [log, done] : std::exchange(requests_, {})) done(log->sync());
  }
  bool idle() const { return requests_.empty(); }

 private:
  std::vector<std::pair<std::shared_ptr<storage::LogFile>, Done>> requests_;
};

/// The databases are D0 and D1, and "_Server".
class Stage {
 public:
  static constexpr std::size_t kShards = 2;
  static constexpr std::size_t kDatabases = 2;
  static constexpr std::size_t kSchemas = 4;
  static const std::string& database_name(std::size_t database);
  /// Those that a database may be converted between; the first is what it begins with.
  static const std::string& schema_text(std::size_t database, std::size_t variant);

  Stage(const CommitGate::Options& gate, std::size_t history_bytes);
  ~Stage();

  ClientHub& hub(std::size_t shard) { return *hubs_[shard]; }
  StageShard& shard(std::size_t shard) { return shards_[shard]; }
  test::FakeFileSystem& disk() { return disk_; }
  std::int64_t now_ms() const { return clock_.now_ms; }

  /// Runs what the I/O threads have to do, one after the other, until nobody has anything.
  void run();
  void run_background() { background_.run(); }
  void run_syncs() { syncer_.run(); }
  void advance(std::int64_t ms);

  // Control.
  void set_gate(const CommitGate::Options& gate);
  void set_backup(std::size_t database, bool backup);
  void promote(std::size_t database);
  void set_write_deadline(std::optional<std::int64_t> in_ms);
  void compact(std::size_t database);
  void add_database(std::size_t database);
  void remove_database(std::size_t database);
  void disable_conditional_monitors();

  // To look at.
  /// Null: it is not served.
  const ServedDatabase* database(const std::string& name);
  /// Null: it is not served.
  DatabaseInfoRef info(const std::string& name);
  Position position(const std::string& name);
  /// The log's file and memory tell the same; requires a disk that works.
  void check_log(std::size_t database);

  /// Everything that is under way comes to its end: the disk works, the gate is open, nobody's
  /// right to write ends.
  void come_to_rest();
  /// Nothing is left of any session.
  void check_forgotten();

 private:
  template <class F>
  void call(F&& f) {
    server_->call(std::forward<F>(f), shards_[0]);
  }
  bool idle() const;

  StageClock clock_;
  test::FakeFileSystem disk_;
  StageSyncer syncer_;
  FakeRunner background_;
  StageShard shards_[kShards]{StageShard(0), StageShard(1)};
  std::optional<std::int64_t> wake_ms_;
  const std::size_t history_bytes_;
  std::unique_ptr<DatabaseServer> server_;
  std::vector<std::unique_ptr<ClientHub>> hubs_;
};

}  // namespace tandem::fuzz
