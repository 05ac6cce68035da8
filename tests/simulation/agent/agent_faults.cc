// The faults that befall a cluster under Pacemaker.

#include <algorithm>
#include <utility>

#include "tests/simulation/agent/agent_run.h"

namespace tandem::simulation {

Host* AgentRun::active() {
  for (const auto& host : hosts_) {
    if (host->servers[agent::Which::kNb]->is_writable()) return host.get();
  }
  return nullptr;
}

Host& AgentRun::some_host() {
  if (Host* const active = this->active(); active != nullptr && world_.chance(40)) return *active;
  return *hosts_[world_.random(hosts_.size())];
}

void AgentRun::disturb(Host& host, std::int64_t ms) {
  host.disturbed_until_ms = std::max(host.disturbed_until_ms, world_.now_ms() + ms + kOverItMs);
}

bool AgentRun::is_calm() const {
  return std::all_of(hosts_.begin(), hosts_.end(), [this](const auto& host) {
    return host->disturbed_until_ms < world_.now_ms();
  });
}

void AgentRun::fault() {
  if (quiet_) return;
  world_.after(500 + world_.ms(12'000), [this] { fault(); });
  if (scenario_.one_at_a_time && !is_calm()) return;
  ++faults_;
  befall(some_host());
}

void AgentRun::befall(Host& host) {
  switch (world_.random(3)) {
    case 0:
      return befall_servers(host);
    case 1:
      return befall_cluster(host);
    default:
      return befall_configuration(host);
  }
}

// --- servers ---

void AgentRun::befall_servers(Host& host) {
  if (!host.is_up) return;
  SimulatedServer& server =
      *host.servers[world_.chance(50) ? agent::Which::kNb : agent::Which::kSb];
  const std::shared_ptr<Wire> wire =
      server.node().is_up() ? server.node().process->wire() : nullptr;
  switch (world_.random(11)) {
    case 0:
      return kill_servers(host);
    case 1:
      world_.trace(host.name, "a server crashes");
      disturb(host, 0);
      return server.crash();
    case 2:
      return stop_server(host);
    case 3:
      return fill_disk(host);
    case 4:
      return break_disk(host);
    case 5:
      world_.trace(host.name, "is slow");
      host.slow_until_ms = world_.now_ms() + world_.ms(40'000);
      return;
    case 9:
    case 10:
      return hang_disk(host);
    case 6:
      if (wire) wire->cut();
      return;
    case 7:
      if (wire) wire->stall(world_.ms(5000));
      return;
    default:
      if (wire) wire->lose(world_.chance(50));
      return;
  }
}

void AgentRun::kill_servers(Host& host) {
  world_.trace(host.name, "servers are killed");
  disturb(host, 0);
  const std::uint64_t which = world_.random(3);
  if (which != 0) host.servers[agent::Which::kNb]->kill();
  if (which != 1) host.servers[agent::Which::kSb]->kill();
}

void AgentRun::stop_server(Host& host) {
  SimulatedServer& server =
      *host.servers[world_.chance(50) ? agent::Which::kNb : agent::Which::kSb];
  world_.trace(host.name, "a server is stopped");
  server.set_stopped(true);
  const std::int64_t ms = world_.ms(world_.chance(50) ? 3000 : 60'000);
  disturb(host, ms);
  // Not one that was started meanwhile.
  world_.after(ms, [&server, starts = server.node().starts()] {
    if (starts == server.node().starts()) server.set_stopped(false);
  });
}

// --- machines, networks, Pacemaker ---

void AgentRun::befall_cluster(Host& host) {
  switch (world_.random(8)) {
    case 0:
    case 1:
      return power_off(host);
    case 2:
      return partition(true, true);
    case 3:
      return partition(true, false);
    case 4:
      return partition(false, true);
    case 5:
      return hang_corosync(host);
    case 6:
      return silence_attributes(host);
    default:
      world_.trace(host.name, "Pacemaker is stopped");
      disturb(host, 0);
      if (host.is_up) pacemaker_.restart(host.index, world_.chance(50));
      return;
  }
}

void AgentRun::power_off(Host& host) {
  if (!host.is_up) return;
  host.is_up = false;
  host.agent = nullptr;
  for (const agent::Which which : agent::kBoth) {
    host.servers[which]->kill();
    test::FakeFileSystem& disk = host.servers[which]->node().disk;
    disk.heal_all();
    host.servers[which]->node().hanging.answer();
    if (scenario_.power_fails) disk.power_loss(world_.random(UINT32_MAX));
  }
  damage_file(host);
  pacemaker_.crash(host.index);
  const std::int64_t ms = quiet_ ? 5000 : 2000 + world_.ms(world_.chance(70) ? 20'000 : 80'000);
  disturb(host, ms + 10'000);
  world_.after(ms, [this, &host] { boot(host); });
}

void AgentRun::boot(Host& host) {
  if (host.is_up) return;
  host.is_up = true;
  for (const agent::Which which : agent::kBoth) host.servers[which]->node().disk.heal_all();
  pacemaker_.boot(host.index);
}

void AgentRun::partition(bool corosync, bool servers) {
  std::vector<int> groups(hosts_.size());
  for (int& group : groups) group = world_.chance(50) ? 1 : 0;
  std::string text = "the network is parted:";
  for (const int group : groups) text += group == 0 ? " 0" : " 1";
  world_.trace("all", text + (corosync ? ", corosync" : "") + (servers ? ", servers" : ""));
  const std::int64_t ms = world_.ms(45'000);
  for (const auto& host : hosts_) disturb(*host, ms);
  if (corosync) pacemaker_.partition(groups);
  if (servers) network_.partition(groups);
  world_.after(ms, [this, corosync, servers] {
    world_.trace("all", "the network is whole");
    if (corosync) pacemaker_.heal();
    if (servers) network_.heal();
  });
}

void AgentRun::hang_corosync(Host& host) {
  const std::int64_t ms = world_.ms(world_.chance(30) ? 4000 : 90'000);
  disturb(host, ms);
  pacemaker_.set_hung(host.index, true);
  world_.after(ms, [this, &host] { pacemaker_.set_hung(host.index, false); });
}

void AgentRun::silence_attributes(Host& host) {
  const std::int64_t ms = world_.ms(40'000);
  disturb(host, ms);
  pacemaker_.set_attrd_silent(host.index, true);
  world_.after(ms, [this, &host] { pacemaker_.set_attrd_silent(host.index, false); });
}

// --- the administrator ---

void AgentRun::befall_configuration(Host& host) {
  constexpr int kInfinity = pacemaker::Score::kInfinity;
  switch (world_.random(7)) {
    case 0:
      return maintenance();
    case 1:
      return standby(host);
    case 2:  // an orderly move
      return prefer(host, kInfinity, 3000 + world_.ms(20'000));
    case 3:  // one that is forgotten
      return prefer(host, kInfinity, 600'000);
    case 4:
      return prefer(host, 500, 10'000 + world_.ms(60'000));
    case 5:  // a ban
      return prefer(host, -kInfinity, 5000 + world_.ms(30'000));
    default:
      return pacemaker_.clean_up();
  }
}

void AgentRun::configure(std::int64_t ms) {
  configured_until_ms_ = std::max(configured_until_ms_, world_.now_ms() + ms + kOverItMs);
}

void AgentRun::maintenance() {
  world_.trace("all", "is in maintenance");
  pacemaker_.set_maintenance(true);
  const std::int64_t ms = world_.ms(60'000);
  configure(ms);
  world_.after(ms, [this] {
    world_.trace("all", "is managed");
    pacemaker_.set_maintenance(false);
  });
}

void AgentRun::standby(Host& host) {
  world_.trace(host.name, "is on standby");
  const std::int64_t ms = world_.ms(30'000);
  disturb(host, ms);
  pacemaker_.configure(host.index, [](pacemaker::NodeState& node) { node.standby = true; });
  world_.after(ms, [this, &host] {
    pacemaker_.configure(host.index, [](pacemaker::NodeState& node) { node.standby = false; });
  });
}

void AgentRun::prefer(Host& host, int score, std::int64_t ms) {
  configure(ms);
  world_.trace(host.name, "is preferred by " + std::to_string(score));
  for (const auto& other : hosts_) {
    pacemaker_.configure(other->index,
                         [score, is_it = other.get() == &host](pacemaker::NodeState& node) {
                           node.promoted_preference = {is_it ? score : 0};
                         });
  }
  world_.after(ms, [this, &host] {
    if (quiet_) return;
    pacemaker_.configure(host.index,
                         [](pacemaker::NodeState& node) { node.promoted_preference = {}; });
  });
}

}  // namespace tandem::simulation
