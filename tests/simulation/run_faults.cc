// The faults that befall a run.

#include <algorithm>
#include <cerrno>

#include "tests/simulation/run.h"

namespace tandem::simulation {

void Run::fault() {
  if (quiet_) return;
  world_.after(50 + world_.ms(700), [this] { fault(); });
  if (!relays_.empty() && world_.chance(15)) return befall_relay();
  Node& node = some_node();
  if (!node.is_up()) return;
  const std::shared_ptr<Wire> wire = node.process->wire();
  switch (world_.random(14)) {
    case 0:
    case 1:
      if (wire) wire->cut();
      return;
    case 2:
      if (wire) wire->stall(world_.ms(3000));
      return;
    case 3:
      if (wire) wire->lose(world_.chance(50));
      return;
    case 4:
    case 5:
      return kill(node);
    case 6:
      return kill_at_a_disk_step(node);
    case 7:
      return manager_.switch_over();
    case 8:
      if (scenario_.manager_errs) manager_.err();
      return;
    case 9:
      return compact(node);
    case 10:
      return jump_clocks(node);
    case 11:
      return fill_disk(node);
    case 12:
    case 13:
      return hang_disk(node);
    default:
      return;
  }
}

void Run::befall_relay() {
  const std::size_t index = world_.random(relays_.size());
  const std::shared_ptr<Wire> wire = relays_[index]->wire();
  switch (world_.random(4)) {
    case 0:
      return start_relay(index);
    case 1:
      if (wire) wire->stall(world_.ms(3000));
      return;
    case 2:
      if (wire) wire->lose(world_.chance(50));
      return;
    default:
      if (wire) wire->cut();
      return;
  }
}

void Run::kill(Node& node) {
  if (!node.is_up() || !may_befall(node)) return;
  const bool may_be_damaged =
      scenario_.files_damaged && all_up() &&
      std::none_of(nodes_.begin(), nodes_.end(), [](const auto& n) { return n->is_damaged(); });
  world_.trace(node.name, "is killed");
  manager_.before_loss(node);
  node.kill();
  node.disk.heal_all();
  node.hanging.answer();
  if (scenario_.power_fails) node.disk.power_loss(world_.random(UINT32_MAX));
  if (may_be_damaged && world_.chance(50) && node.damage_file(some_database())) {
    world_.trace(node.name, "has a damaged file");
    ++damages_;
  }
  world_.after(world_.ms(800), [this] { manager_.look(); });
  world_.after(10 + world_.ms(2500), [this, &node] {
    if (node.is_up()) return;
    world_.trace(node.name, "comes back");
    node.disk.heal_all();
    node.start();
    manager_.look();
  });
}

/// From some call to the disk on nothing reaches it any more; the kill follows.
void Run::kill_at_a_disk_step(Node& node) {
  if (!scenario_.disks_fail || !may_befall(node)) return;
  const std::uint64_t steps = scenario_.files_mounted ? 30 : 12;  // of a compaction
  node.disk.fail_all(EIO, static_cast<int>(world_.random(steps)));
  world_.after(world_.ms(400), [this, &node] { kill(node); });
}

void Run::fill_disk(Node& node) {
  if (!scenario_.disks_fail) return;
  node.disk.set_capacity(node.disk.used() + world_.random(3000));
  world_.after(world_.ms(2000), [&node] { node.disk.set_capacity(UINT64_MAX); });
}

void Run::hang_disk(Node& node) {
  if (!scenario_.disks_hang || node.hanging.hangs() || !may_befall(node)) return;
  const bool all = world_.chance(60);
  world_.trace(node.name, all ? "has a disk that hangs" : "has a disk that syncs nothing");
  const std::uint64_t time =
      node.hanging.hang(all ? HangingDisk::Holds::kAll : HangingDisk::Holds::kSyncs);
  world_.after(100 + world_.ms(world_.chance(70) ? 1500 : 6000), [this, &node, time] {
    if (node.is_up() && node.hanging.hangs_since(time)) end_hang(node);
  });
}

/// The disk is well again, or has failed meanwhile, or its machine is started anew.
void Run::end_hang(Node& node) {
  if (node.hanging.waiting_ms() > 0) ++hangs_;
  switch (world_.random(4)) {
    case 0:
      kill(node);
      break;
    case 1:
      node.disk.keep_failing(test::FakeFileSystem::Op::kSync, EIO);
      if (world_.chance(50)) node.disk.keep_failing(test::FakeFileSystem::Op::kWrite, EIO);
      world_.after(world_.ms(500), [this, &node] { kill(node); });
      break;
    default:
      break;
  }
  if (node.hanging.hangs()) {
    world_.trace(node.name, "has a disk that answers again");
    node.hanging.answer();
  }
  world_.after(world_.ms(100), [this] { manager_.look(); });
}

void Run::compact(Node& node) {
  Process& process = *node.process;
  process.server.submit(
      [&process, name = some_database()] {
        process.server.compact(process.database(name), [](const Result<void>&) {});
      },
      process.shard);
}

void Run::jump_clocks(Node& node) {
  node.clock.jump_wall(world_.ms(7'200'000) - 3'600'000);
  if (world_.chance(30)) node.clock.jump_ahead(world_.ms(20'000));
}

}  // namespace tandem::simulation
