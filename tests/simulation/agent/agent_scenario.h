#pragma once

#include <cstddef>
#include <string>

#include "ocf/agent/decision/settings.h"
#include "tests/simulation/agent/agent_host.h"
#include "tests/simulation/pacemaker/executor.h"
#include "tests/simulation/scenario.h"

namespace tandem::simulation {

/// The choices that a seed makes before anything happens.
struct AgentScenario {
  std::size_t hosts;
  agent::Settings settings;
  agent::Pair<Scenario> servers;
  bool fencing;        ///< nodes that are lost are powered off before the others go on
  bool power_fails;    ///< a machine that goes off loses what was not synced
  bool files_damaged;  ///< of a machine that goes off while all is well
  bool one_at_a_time;  ///< a fault comes when all are over the last one
  pacemaker::Faults pacemaker;
  AgentFaults agents;

  static AgentScenario drawn_from(World& world);
  std::string to_string() const;

  /// The longest lease that the agent grants.
  std::int64_t lease_ms() const;
  bool blocks() const { return settings.sync_fallback == "block"; }
};

}  // namespace tandem::simulation
