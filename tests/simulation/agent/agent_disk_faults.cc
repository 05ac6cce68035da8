// The faults of disks and files that befall a cluster under Pacemaker.

#include <algorithm>
#include <cerrno>

#include "tests/simulation/agent/agent_host.h"
#include "tests/simulation/agent/agent_run.h"

namespace tandem::simulation {

namespace {

/// Until the agent has moved the role away from a disk that hangs: the server's patience, a
/// monitor, and a change of roles.
constexpr std::int64_t kMoveMs = 60'000;

}  // namespace

void AgentRun::fill_disk(Host& host) {
  world_.trace(host.name, "a disk is full");
  const std::int64_t ms = world_.ms(10'000);
  disturb(host, ms);
  for (const agent::Which which : agent::kBoth) {
    test::FakeFileSystem& disk = host.servers[which]->node().disk;
    disk.set_capacity(disk.used() + world_.random(2000));
    world_.after(ms, [&disk] { disk.set_capacity(UINT64_MAX); });
  }
}

/// From some call on nothing reaches it any more; the machine is started anew a while later.
void AgentRun::break_disk(Host& host) {
  world_.trace(host.name, "a disk breaks");
  disturb(host, 20'000);
  for (const agent::Which which : agent::kBoth)
    host.servers[which]->node().disk.fail_all(EIO, static_cast<int>(world_.random(12)));
  world_.after(world_.ms(10'000), [this, &host] {
    if (!quiet_) power_off(host);
  });
}

/// That of one server, or of both.
void AgentRun::hang_disk(Host& host) {
  const std::int64_t ms = 100 + world_.ms(world_.chance(50) ? 8000 : 90'000);
  const bool all = world_.chance(70);
  const std::uint64_t which = world_.random(3);
  disturb(host, ms);
  for (const agent::Which each : agent::kBoth) {
    HangingDisk& disk = host.servers[each]->node().hanging;
    if (which == static_cast<std::uint64_t>(each) || disk.hangs()) continue;
    world_.trace(host.name, agent::name_of(each) + " has a disk that hangs");
    const std::uint64_t time =
        disk.hang(all ? HangingDisk::Holds::kAll : HangingDisk::Holds::kSyncs);
    if (host.servers[each]->is_writable()) expect_move(host, each, time);
    world_.after(ms, [this, &host, &disk, each, time] {
      if (disk.hangs_since(time)) end_hang(host, each);
    });
  }
}

/// The disk is well again, or has failed meanwhile, or its machine is started anew.
void AgentRun::end_hang(Host& host, agent::Which which) {
  Node& node = host.servers[which]->node();
  if (node.hanging.waiting_ms() > 0) ++hangs_;
  const std::uint64_t how = world_.random(4);
  if (how == 0 && host.is_up) return power_off(host);
  world_.trace(host.name, agent::name_of(which) + " has a disk that answers again");
  if (how == 1) {
    node.disk.keep_failing(test::FakeFileSystem::Op::kSync, EIO);
    world_.after(world_.ms(2000), [&node] { node.disk.heal(test::FakeFileSystem::Op::kSync); });
  }
  node.hanging.answer();
}

/// Where nothing else is the matter, a backup has all, and is known for it: the role goes there.
void AgentRun::expect_move(Host& host, agent::Which which, std::uint64_t time) {
  if (!scenario_.one_at_a_time || configured_until_ms_ > world_.now_ms()) return;
  for (const auto& other : hosts_) {
    if (other->index == host.index) continue;
    if (!is_backup_of(*other, host) || !other->agent->is_full_copy()) return;
  }
  world_.after(kMoveMs, [this, &host, which, time, began_ms = world_.now_ms()] {
    // Pacemaker waits for an action that stops, as long as its timeout.
    const bool froze = std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& each) {
      return each->is_up && each->agent->froze_at_ms() >= began_ms;
    });
    if (froze) return;
    SimulatedServer& server = *host.servers[which];
    const HangingDisk& disk = server.node().hanging;
    if (server.is_writable() && disk.hangs_since(time) && disk.waiting_ms() > kMoveMs - 5000 &&
        configured_until_ms_ <= world_.now_ms())
      promises_.broken(host.name + " keeps the role, though its disk has hung for long");
  });
}

bool AgentRun::is_backup_of(const Host& host, const Host& active) const {
  for (const agent::Which which : agent::kBoth) {
    SimulatedServer& server = *host.servers[which];
    SimulatedServer& source = *active.servers[which];
    if (!host.is_up || !server.answers() || !source.answers()) return false;
    if (!(server.node().position(server.database()) == source.node().position(source.database())))
      return false;
  }
  return true;
}

/// Of a machine that is off, while all others are well and one of them is known to have all:
/// without, none is promoted before an operator says so.
void AgentRun::damage_file(Host& host) {
  const bool all_well = std::all_of(hosts_.begin(), hosts_.end(), [&](const auto& other) {
    if (other->servers[agent::Which::kNb]->is_damaged()) return false;
    if (other->servers[agent::Which::kSb]->is_damaged()) return false;
    return other->index == host.index ||
           (other->is_up && other->disturbed_until_ms < world_.now_ms());
  });
  const bool has_heir = std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& other) {
    return other->index != host.index && other->agent != nullptr && other->agent->is_full_copy();
  });
  if (!scenario_.files_damaged || !all_well || !has_heir) return;
  if (!host.servers[world_.chance(50) ? agent::Which::kNb : agent::Which::kSb]->damage()) return;
  world_.trace(host.name, "has a damaged file");
  promises_.damaged();
  ++damages_;
}

}  // namespace tandem::simulation
