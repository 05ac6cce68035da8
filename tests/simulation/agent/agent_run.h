#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/agent/promises.h"

namespace tandem::simulation {

/// One run under one seed: machines with two servers each, the agent's own decisions on each, a
/// model of Pacemaker, and clients. Faults befall all of them; then all is quiet, and what was
/// promised is checked.
class AgentRun {
 public:
  explicit AgentRun(std::uint64_t seed, const Guards& guards = {});
  ~AgentRun();

  /// The promises that were broken; empty: none.
  std::vector<std::string> run();
  const AgentScenario& scenario() const { return scenario_; }
  const Promises& promises() const { return promises_; }
  /// Disks that hung while a call was under way, and files that were damaged.
  std::size_t hangs() const { return hangs_; }
  std::size_t damages() const { return damages_; }

 private:
  static constexpr std::int64_t kFaultsMs = 120'000;
  static constexpr std::int64_t kOverItMs = 20'000;  ///< until a machine is over a fault
  static constexpr std::size_t kMostMoves = 2;       ///< of the role, a fault
  static constexpr std::int64_t kQuietMs = 240'000;  ///< within it all is well again

  void make_host(std::size_t i);
  std::unique_ptr<pacemaker::NodeAgent> make_agent(std::size_t i, pacemaker::ClusterTools& tools);
  void look();
  void write();
  void submit(Host& host, agent::Which which);

  // Faults: agent_faults.cc.
  void fault();
  void befall(Host& host);
  void befall_servers(Host& host);
  void befall_cluster(Host& host);
  void befall_configuration(Host& host);
  void kill_servers(Host& host);
  void stop_server(Host& host);
  void power_off(Host& host);
  void boot(Host& host);
  void partition(bool corosync, bool servers);
  void hang_corosync(Host& host);
  void silence_attributes(Host& host);
  void prefer(Host& host, int score, std::int64_t ms);
  void standby(Host& host);
  void maintenance();
  void configure(std::int64_t ms);
  void disturb(Host& host, std::int64_t ms);
  Host& some_host();
  Host* active();
  bool is_calm() const;

  // Faults of disks and files: agent_disk_faults.cc.
  void fill_disk(Host& host);
  void break_disk(Host& host);
  void hang_disk(Host& host);
  void end_hang(Host& host, agent::Which which);
  void expect_move(Host& host, agent::Which which, std::uint64_t time);
  bool is_backup_of(const Host& host, const Host& active) const;
  void damage_file(Host& host);

  void come_to_rest();
  std::optional<std::size_t> settled();
  void check();
  void check_growth();
  void check_moves();

  World world_;
  const Guards guards_;
  AgentScenario scenario_;
  Ledger ledger_;
  Hosts hosts_;
  Network network_;
  pacemaker::Pacemaker pacemaker_;
  Promises promises_;
  bool quiet_ = false;
  std::size_t faults_ = 0;
  std::size_t hangs_ = 0;
  std::size_t damages_ = 0;
  std::size_t moves_before_quiet_ = 0;
  std::int64_t configured_until_ms_ = 0;  ///< until then the administrator wants something
  std::int64_t last_number_ = 0;
};

}  // namespace tandem::simulation
