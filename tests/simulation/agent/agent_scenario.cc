#include "tests/simulation/agent/agent_scenario.h"

#include <fmt/core.h>

#include "tests/simulation/agent/network.h"

namespace tandem::simulation {

AgentScenario AgentScenario::drawn_from(World& world) {
  AgentScenario scenario{};
  scenario.hosts = world.chance(70) ? 3 : 2 + world.random(4);
  agent::Settings& settings = scenario.settings;
  settings.master_ip = Network::kMovingAddress;
  settings.databases[agent::Which::kNb].port = "6641";
  settings.databases[agent::Which::kSb].port = "6642";
  if (world.chance(60)) {
    for (std::size_t i = 0; i < scenario.hosts; ++i)
      settings.node_addresses[std::string(1, static_cast<char>('a' + i))] = Network::address_of(i);
  }
  if (world.chance(50)) settings.role_lease_s = world.chance(50) ? 20 : 35;
  if (world.chance(30)) settings.sync_fallback = "block";
  scenario.fencing = world.chance(40);
  scenario.power_fails = world.chance(40);
  scenario.files_damaged = world.chance(30);
  scenario.one_at_a_time = world.chance(50);
  const std::size_t history_bytes = world.chance(30) ? 1000 + world.random(20'000) : 64U << 20;
  for (const agent::Which which : agent::kBoth) {
    Scenario& servers = scenario.servers[which];
    servers.servers = scenario.hosts;
    servers.databases = {agent::database_of(which)};
    servers.history_bytes = history_bytes;
  }
  if (world.chance(60)) scenario.pacemaker = {10, 2, 2};
  if (world.chance(60)) scenario.agents = {2, 2, 3};
  return scenario;
}

std::int64_t AgentScenario::lease_ms() const {
  // That of the keeper, from the timeout of the promotion.
  return settings.role_lease_s > 0 ? settings.role_lease_s * 1000 : 55'000;
}

std::string AgentScenario::to_string() const {
  return fmt::format("{} hosts, {}, lease of {} ms, then {}, {}fencing, power {}, {}{}", hosts,
                     settings.node_addresses.empty() ? "a moving address" : "addresses of nodes",
                     lease_ms(), settings.sync_fallback, fencing ? "" : "no ",
                     power_fails ? "fails" : "stays", files_damaged ? "files are damaged, " : "",
                     one_at_a_time ? "one fault at a time" : "faults as they come");
}

}  // namespace tandem::simulation
