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

 private:
  static constexpr std::int64_t kFaultsMs = 120'000;
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
  void fill_disk(Host& host);
  void break_disk(Host& host);
  void prefer(Host& host, int score, std::int64_t ms);
  void standby(Host& host);
  void maintenance();
  void disturb(Host& host, std::int64_t ms);
  Host& some_host();
  Host* active();
  bool is_calm() const;

  void come_to_rest();
  std::optional<std::size_t> settled();
  void check();
  void check_growth();

  World world_;
  const Guards guards_;
  AgentScenario scenario_;
  Ledger ledger_;
  Hosts hosts_;
  Network network_;
  pacemaker::Pacemaker pacemaker_;
  Promises promises_;
  bool quiet_ = false;
  std::int64_t last_number_ = 0;
};

}  // namespace tandem::simulation
