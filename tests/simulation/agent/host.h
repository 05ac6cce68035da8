#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/simulation/agent/agent_host.h"
#include "tests/simulation/agent/simulated_server.h"

namespace tandem::simulation {

/// A machine with its two servers, and its agent while it is up.
struct Host {
  std::size_t index = 0;
  std::string name;
  bool is_up = false;
  agent::Pair<std::unique_ptr<SimulatedServer>> servers;
  AgentHost* agent = nullptr;  ///< the model of Pacemaker's; null: the machine is off
  std::function<bool()> has_address;
  std::int64_t slow_until_ms = 0;  ///< until then it has too much to do
  /// Until then something has befallen the machine, or it is not over it yet.
  std::int64_t disturbed_until_ms = 0;
};

}  // namespace tandem::simulation
