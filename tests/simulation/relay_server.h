#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/forwarding/forwards.h"
#include "server/relay/relay_database.h"
#include "server/relay/relay_link.h"
#include "server/writer/database_server.h"
#include "tests/simulation/link.h"
#include "tests/simulation/manager.h"
#include "tests/simulation/node.h"

namespace tandem::simulation {

/// A relay of one database, as a process: all that it has is gone when it is killed.
class RelayServer final : private RelayLinkPort,
                          private ForwardsPort,
                          private LinkEnd,
                          private ClientThread,
                          private Syncer {
 public:
  RelayServer(World& world, std::string name, const std::string& database, const Nodes& sources);
  ~RelayServer() override;

  /// Some times a second.
  void tick();
  /// A client asks for a transaction.
  void submit(std::unique_ptr<TransactCall> call);
  /// The rows that its clients see: none, as long as it has none.
  Contents contents();
  /// Do they see a row of that number?
  bool holds(std::int64_t number);
  const FollowerStatus& status() const { return link_.status(); }
  std::shared_ptr<Wire> wire() const { return wire_; }

 private:
  Snapshot snapshot();
  // RelayLinkPort and ForwardsPort
  void send(std::string text) override {
    if (wire_) wire_->send_up(std::move(text));
  }
  bool has_room() const override { return true; }
  void restart(const std::string&) override {
    if (wire_) wire_->cut();
  }
  std::int64_t monotonic_ms() const override { return clock_.monotonic_ms(); }
  void changed() override {}
  void current() override { forwards_->open(); }
  void log_info(const std::string& text) override { world_.trace(name_, text); }
  void answer(std::unique_ptr<TransactCall> call) override;
  void take_back(std::unique_ptr<TransactCall>) override {}

  // LinkEnd
  void on_connected() override { link_.on_connected(source_); }
  void on_message(const JsonRpcMessage& message) override;
  void on_disconnected(const std::string& reason) override;

  // Of the server
  void on_commit(const DatabaseInfoRef&, const CommitRef&) override {}
  void on_directory(const DirectoryRef&) override {}
  void on_role_change() override {}
  void sync(std::shared_ptr<storage::LogFile>, Done done) override { done({}); }
  void wake_at(std::int64_t at_ms);

  World& world_;
  const std::string name_;
  const std::string database_;
  const Nodes& sources_;
  std::size_t next_source_ = 0;
  std::string source_;
  MachineClock clock_;
  HangingDisk no_disk_;
  test::FakeFileSystem no_files_;
  SimulatedShard shard_;
  DatabaseServer server_;
  Mailbox mailbox_;
  RelayDatabase copy_;
  RelayLink link_;
  std::shared_ptr<Forwards> forwards_;
  std::shared_ptr<Wire> wire_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation
