#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/backup/database_replica.h"
#include "server/database/record_codec.h"
#include "tests/simulation/link.h"
#include "tests/support/fake_file_system.h"

namespace tandem::simulation {

inline constexpr const char* kFile = "/db/t.db";
inline constexpr const char* kSchema =
    R"({"name":"T","version":"1.0.0","tables":{"t":{"columns":{"n":{"type":"integer"},"s":{"type":"string","ephemeral":true}},"isRoot":true}}})";

class FakeSyncer final : public Syncer {
 public:
  void sync(std::shared_ptr<storage::LogFile> log, Done done) override { done(log->sync()); }
};

class Node;

/// What a node loses when it is killed.
class Process final : private ActiveLinkPort {
 public:
  Process(World& world, Node& node, storage::FileSystem& files, const std::string& host,
          const CommitGate::Options& gate);
  ~Process() override;

  void follow(Node& active);
  void stop_following();
  void tick();

  World& world;
  SimulatedShard shard;
  FakeSyncer syncer;
  DatabaseServer server;
  std::unique_ptr<ClientHub> hub;
  std::vector<std::weak_ptr<Wire>> served;  // connections of others

  ServedDatabase& database() { return *server.find("T"); }
  std::optional<FollowerStatus> follower() const {
    if (!link_) return std::nullopt;
    return link_->status().at("T");
  }
  std::shared_ptr<Wire> wire() const { return wire_; }

 private:
  void send(std::string text) override {
    if (wire_) wire_->send_up(std::move(text));
  }
  void restart(const std::string&) override {
    if (wire_) wire_->cut();
  }
  std::int64_t monotonic_ms() const override { return world.monotonic_ms(); }
  void changed() override {}
  void log_info(const std::string&) override {}
  void log_warn(const std::string&) override {}

  const std::string host_;
  std::unique_ptr<DatabaseReplica> replica_;
  std::unique_ptr<ActiveLink> link_;
  std::shared_ptr<Wire> wire_;
  Node* active_ = nullptr;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

class Node {
 public:
  Node(World& world, std::string name, const CommitGate::Options& gate)
      : world_(world), name_(std::move(name)), gate_(gate) {
    static_cast<void>(storage::LogFile::create(disk, kFile, kSchema).value());
  }

  void start() {
    process = std::make_unique<Process>(world_, *this, disk, name_, gate_);
    process->server.call([this] { process->server.set_backup(process->database(), true); },
                         process->shard);
    tick(process.get());
  }
  /// SIGKILL: what was written stays.
  void kill() { process.reset(); }

  Position position() {
    Position position;
    process->server.call([&] { position = process->database().stored->position(); },
                         process->shard);
    return position;
  }
  /// The persistent contents, in one order.
  std::set<std::int64_t> numbers() {
    std::set<std::int64_t> result;
    process->server.call(
        [&] {
          const Snapshot snapshot = process->database().stored->database().snapshot();
          const ColumnIndex n = snapshot.schema->table(0).find_column("n").value();
          snapshot.tables[0].for_each(
              [&](const Row& row) { result.insert(std::get<std::int64_t>(row.view(n).key(0))); });
        },
        process->shard);
    return result;
  }
  bool is_up() const { return process != nullptr; }

  test::FakeFileSystem disk;
  std::unique_ptr<Process> process;

 private:
  void tick(const Process* of) {
    if (process.get() != of) return;
    process->tick();
    world_.after(50 + static_cast<std::int64_t>(world_.random(200)), [this, of] { tick(of); });
  }

  World& world_;
  const std::string name_;
  const CommitGate::Options gate_;
};

}  // namespace tandem::simulation
