#include "tests/simulation/scenario.h"

#include <fmt/core.h>

namespace tandem::simulation {

Scenario Scenario::drawn_from(World& world) {
  Scenario scenario{};
  scenario.servers = 2 + world.random(4);
  scenario.databases = {"T"};
  if (world.chance(25)) scenario.databases.emplace_back("U");
  const unsigned most = static_cast<unsigned>(scenario.servers) - 1;
  scenario.gate.replicas = world.chance(60) ? 1 : 0;
  if (scenario.gate.replicas > 0 && most > 1 && world.chance(25)) scenario.gate.replicas = 2;
  scenario.gate.timeout_ms = 200 + world.ms(600);
  scenario.gate.fallback =
      world.chance(75) ? CommitGate::Fallback::kBlock : CommitGate::Fallback::kAsync;
  scenario.manager_errs = world.chance(30);
  scenario.power_fails = world.chance(40);
  scenario.disks_fail = world.chance(40);
  scenario.disks_hang = world.chance(50);
  scenario.cascades = scenario.servers > 2 && world.chance(30);
  // A copy that acknowledges nothing would count for a gate as much as one that is gone.
  if (scenario.servers > 2 && !scenario.has_gate() && world.chance(30))
    scenario.plain = world.random(scenario.servers - 1) + 1;
  scenario.forwards = world.chance(50);
  if (world.chance(30)) scenario.relays = 1 + world.random(2);
  scenario.files_damaged = world.chance(30);
  scenario.files_mounted = world.chance(30);
  scenario.history_bytes = world.chance(50) ? 1000 + world.random(20'000) : std::size_t{64} << 20;
  return scenario;
}

std::string Scenario::to_string() const {
  return fmt::format(
      "{} servers, {} databases, gate of {} ({} ms, {}), the manager {}, power {}, disks {}, {}{}{}"
      "{}{}{} relays, history of {} bytes{}",
      servers, databases.size(), gate.replicas, gate.timeout_ms,
      gate.fallback == CommitGate::Fallback::kBlock ? "block" : "async",
      manager_errs ? "errs" : "obeys", power_fails ? "fails" : "stays",
      disks_fail ? "fail" : "are well", disks_hang ? "and hang, " : "",
      cascades ? "cascades, " : "", forwards ? "backups forward, " : "",
      files_damaged ? "files are damaged, " : "", files_mounted ? "files are mounted, " : "",
      relays, history_bytes, plain ? fmt::format(", {} is plain", *plain) : "");
}

}  // namespace tandem::simulation
