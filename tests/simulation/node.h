#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replication/active_link.h"
#include "server/backup/database_replica.h"
#include "server/forwarding/backup_forwards.h"
#include "tests/simulation/guards.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/link.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/simulated_role.h"
#include "tests/support/fake_file_system.h"

namespace tandem::simulation {

/// The rows of a database: number to value.
using Contents = std::map<std::int64_t, std::int64_t>;

class Node;

/// An fdatasync takes its time, and dies with the process.
class SlowSyncer final : public Syncer {
 public:
  SlowSyncer(World& world, const SimulatedShard& shard, Node& node)
      : world_(world), shard_(shard), node_(node) {}
  void sync(std::shared_ptr<storage::LogFile> log, Done done) override;

 private:
  World& world_;
  const SimulatedShard& shard_;
  Node& node_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

/// A client that monitors everything, fed by what the server publishes.
class Reader final : public ClientThread {
 public:
  Reader(DatabaseServer& server, Shard& shard, Ledger& ledger)
      : server_(server), ledger_(ledger), mailbox_(shard) {
    server.add_client_thread(mailbox_, *this);
  }
  void on_commit(const DatabaseInfoRef& database, const CommitRef& commit) override;
  void on_directory(const DirectoryRef&) override {}
  void on_role_change() override {}
  void begin(const std::string& database, Contents contents) {
    views_[database] = std::move(contents);
  }
  const Contents& view(const std::string& database) { return views_[database]; }

 private:
  DatabaseServer& server_;
  Ledger& ledger_;
  Mailbox mailbox_;
  std::map<std::string, Contents> views_;
};

/// Whom a backup follows.
struct Source {
  std::string name;
  /// The server that is there at the moment; null: nobody answers.
  std::function<Node*()> reach;
  Epoch least_epoch{};
};

/// What a node loses when it is killed.
class Process final : private ActiveLinkPort, private ForwardsPort, private LinkEnd {
 public:
  Process(World& world, Node& node, Ledger& ledger);
  ~Process() override;

  void follow(Source source);
  void stop_following();
  void depose_active();
  /// Ends the connections of others.
  void close_served();
  void tick();

  World& world;
  SimulatedShard shard;
  SlowSyncer syncer;
  DatabaseServer server;
  std::unique_ptr<ClientHub> hub;
  Reader reader;
  SimulatedRole role;
  std::vector<std::weak_ptr<Wire>> served;  // connections of others

  ServedDatabase& database(const std::string& name) { return *server.find(name); }
  std::map<std::string, FollowerStatus> followers() const {
    return link_ ? link_->status() : std::map<std::string, FollowerStatus>();
  }
  bool follows() const { return link_ != nullptr; }
  std::shared_ptr<Wire> wire() const { return wire_; }
  /// What is seen on the writer; while that waits for the disk, what it has left behind.
  template <class F>
  auto look(F&& f) {
    if (waits_for_disk()) return f();
    std::optional<decltype(f())> value;
    server.call([&] { value.emplace(f()); }, shard);
    return std::move(*value);
  }
  /// Does something on the writer, and then something with its outcome: both at once, unless the
  /// writer waits for the disk.
  template <class Job, class Then>
  void have_written(Job job, Then then) {
    if (!waits_for_disk()) return then(look(job));
    server.submit(
        [this, job = std::move(job), then = std::move(then)]() mutable {
          shard.post([then = std::move(then), outcome = job()]() mutable { then(outcome); });
        },
        shard);
  }
  bool waits_for_disk() const;

 private:
  void send(std::string text) override {
    if (wire_) wire_->send_up(std::move(text));
  }
  bool has_room() const override { return true; }
  void restart(const std::string&) override {
    if (wire_) wire_->cut();
  }
  std::int64_t monotonic_ms() const override;
  void changed() override { forwards_.on_status(followers()); }
  void handed_on(const std::string& database, const Height& height) override {
    forwards_.on_handed_on(database, height);
  }
  void answer(std::unique_ptr<TransactCall> call) override;
  void take_back(std::unique_ptr<TransactCall> call) override;
  void on_connected() override { link_->on_connected(); }
  void on_message(const JsonRpcMessage& message) override {
    if (!forwards_.on_message(message)) link_->on_message(message);
  }
  void on_disconnected(const std::string& reason) override {
    forwards_.on_disconnected(reason);
    link_->on_disconnected(reason);
  }
  void log_info(const std::string& text) override;
  void log_warn(const std::string& text) override { log_info(text); }
  void log_finding(const std::string&, const std::string&) override {}

  void wake_at(std::int64_t at_ms);

  Node& node_;
  BackupForwards forwards_{std::size_t{1} << 20, *this};
  std::vector<std::unique_ptr<DatabaseReplica>> replicas_;
  std::unique_ptr<ActiveLink> link_;
  std::shared_ptr<Wire> wire_;
  Source source_{};
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

/// A machine with its disk, and mostly a server on it.
class Node {
 public:
  Node(World& world, const Scenario& scenario, Ledger& ledger, std::size_t index);

  /// `before`: what the monitor process of one that crashed has kept.
  void start(const std::optional<KeptRole>& before = {});
  /// SIGKILL: what was written stays.
  void kill() {
    process.reset();
    disk.release_locks();
  }
  bool is_up() const { return process != nullptr; }
  bool is_plain() const { return scenario.plain == index; }
  /// Takes writes, or believes that it may.
  bool is_active() const { return is_up() && has_active_role(process->role.state()); }

  /// Changes a byte of a record that has whole ones behind it, if there is one. Not while it is up.
  bool damage_file(const std::string& database);
  /// The file of a database is damaged, and that was not mended.
  bool is_damaged();

  Position position(const std::string& database);
  /// As the server shows it.
  storage::LogHealth health(const std::string& database);
  /// The persistent contents.
  Contents contents(const std::string& database);
  /// Is there a row of that number?
  bool holds(const std::string& database, std::int64_t number);
  /// That row is in a file of what had parted from an active's history.
  bool has_set_aside(const std::string& database, std::int64_t number) const;

  World& world;
  const Scenario& scenario;
  const std::size_t index;
  const std::string name;
  MachineClock clock;
  test::FakeFileSystem disk;
  HangingDisk hanging;
  std::unique_ptr<Process> process;
  Guards guards;
  std::optional<KeptRole> kept;  ///< of the last process
  std::uint64_t starts() const { return starts_; }

 private:
  void tick(std::uint64_t of);
  Ledger& ledger_;
  std::uint64_t starts_ = 0;  ///< processes so far
};

std::string file_of(const std::string& database);
Contents contents_of(const Snapshot& snapshot);
/// Is there a row of that number?
bool has_row(const Snapshot& snapshot, std::int64_t number);

}  // namespace tandem::simulation
