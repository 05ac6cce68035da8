#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/client_call.h"
#include "tests/simulation/manager.h"
#include "tests/simulation/relay_server.h"

namespace tandem::simulation {

/// One run under one seed: servers, clients and a manager; connections break, stall and lose one
/// way, servers are killed at any step, disks fail, clocks jump, the role moves. Then all is quiet,
/// and what was promised is checked.
class Run {
 public:
  explicit Run(std::uint64_t seed, const Guards& guards = {});
  ~Run() { world_.end(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// The promises that were broken; empty: none.
  std::vector<std::string> run();
  const Scenario& scenario() const { return scenario_; }
  std::size_t acknowledged() const;
  /// Files that were damaged.
  std::size_t damages() const { return damages_; }
  /// Writes that a backup answered.
  std::size_t forwarded() const { return forwarded_; }
  /// Disks that hung while a call was under way.
  std::size_t hangs() const { return hangs_; }

 private:
  static constexpr std::int64_t kFaultsMs = 7'000;

  Node& some_node() { return *nodes_[world_.random(nodes_.size())]; }
  const std::string& some_database() {
    return scenario_.databases[world_.random(scenario_.databases.size())];
  }
  bool all_up() const;
  /// Whether this one may be killed, or its disk hang: by the scenario all others have to be well.
  bool may_befall(const Node& node) const;

  void write();
  std::string operation(const std::string& database, std::int64_t number);
  void submit(Node& node, const std::string& database);
  void submit(RelayServer& relay);
  /// A client's transaction. `has` says whether the server that answers has a row.
  std::unique_ptr<ClientCall> write_at(const std::string& server, const std::string& database,
                                       std::function<bool(std::int64_t number)> has);
  void start_relay(std::size_t index);
  void tick_relays();

  // Faults: run_faults.cc.
  void fault();
  void befall_relay();
  void kill(Node& node);
  void kill_at_a_disk_step(Node& node);
  void fill_disk(Node& node);
  void hang_disk(Node& node);
  void end_hang(Node& node);
  void compact(Node& node);
  void jump_clocks(Node& node);

  void compare();
  void come_to_rest();
  bool converged();
  bool settled();

  void check();
  void check_writes(const std::string& database, const Contents& held);
  bool is_set_aside(const std::string& database, std::int64_t number) const;
  void broken(std::string promise) { broken_.push_back(std::move(promise)); }

  World world_;
  const Scenario scenario_;
  const bool one_at_a_time_;  ///< see may_befall()
  std::size_t damages_ = 0;   ///< of files so far
  std::size_t hangs_ = 0;
  std::size_t forwarded_ = 0;
  Ledger ledger_;
  Nodes nodes_;
  std::vector<std::unique_ptr<RelayServer>> relays_;  // destroyed before their sources
  Manager manager_;
  bool quiet_ = false;
  std::vector<std::string> broken_;
};

}  // namespace tandem::simulation
