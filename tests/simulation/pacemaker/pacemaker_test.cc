// The model of Pacemaker under seeds, with an agent of the simplest kind.

#include "tests/simulation/pacemaker/pacemaker.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/simulation/pacemaker/reference_agent.h"

namespace tandem::simulation::pacemaker {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

/// A cluster with small copies instead of databases.
class SmallCluster {
 public:
  explicit SmallCluster(std::uint64_t seed, Faults faults = {}, std::size_t nodes = 3)
      : world(seed),
        copies(nodes),
        pacemaker(world, nodes, faults, [this](std::size_t i, ClusterTools& tools) {
          copies[i].running = copies[i].active = false;
          return std::make_unique<ReferenceAgent>(world, copies[i], pacemaker.name(i), tools);
        }) {
    for (std::size_t i = 0; i < nodes; ++i) pacemaker.boot(i);
    work();
  }

  std::vector<std::size_t> writable() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < copies.size(); ++i) {
      if (pacemaker.is_up(i) && copies[i].is_writable(world.now_ms())) result.push_back(i);
    }
    return result;
  }
  bool settles_within(std::int64_t ms) {
    for (const std::int64_t end = world.now_ms() + ms; world.now_ms() < end;) {
      world.run_until(world.now_ms() + 500);
      if (writable().size() == 1 && pacemaker.has_address(writable().front())) return true;
    }
    return false;
  }

  World world;
  std::vector<SmallCopy> copies;
  Pacemaker pacemaker;
  std::vector<int> groups = std::vector<int>(copies.size());
  std::int64_t longest_overlap_ms = 0;

 private:
  /// Every 50 ms: the active writes, the others follow, and two that may write are noticed.
  void work() {
    world.after(50, [this] { work(); });
    const auto actives = writable();
    for (std::size_t i = 0; i < copies.size(); ++i) {
      const bool is_past = std::any_of(actives.begin(), actives.end(), [&](std::size_t other) {
        return copies[other].epoch > copies[i].epoch;
      });
      const bool overlaps = is_past && copies[i].is_writable(world.now_ms());
      overlaps_ms_[i] = overlaps ? overlaps_ms_[i] + 50 : 0;
      longest_overlap_ms = std::max(longest_overlap_ms, overlaps_ms_[i]);
    }
    for (const std::size_t i : actives) {
      ++copies[i].index;
      for (std::size_t other = 0; other < copies.size(); ++other) {
        if (groups[other] != groups[i] || !copies[other].running || copies[other].active) continue;
        if (copies[other].standing() < copies[i].standing()) {
          copies[other].epoch = copies[i].epoch;
          copies[other].index = copies[i].index;
        }
      }
    }
  }
  std::vector<std::int64_t> overlaps_ms_ = std::vector<std::int64_t>(copies.size());
};

void befall(SmallCluster& cluster) {
  World& world = cluster.world;
  const std::size_t i = world.random(cluster.copies.size());
  Pacemaker& pacemaker = cluster.pacemaker;
  switch (world.random(9)) {
    case 0:
      pacemaker.crash(i);
      return world.after(3000 + world.ms(20'000), [&, i] { pacemaker.boot(i); });
    case 1:
      pacemaker.set_hung(i, true);
      return world.after(world.ms(60'000), [&, i] { pacemaker.set_hung(i, false); });
    case 2:
      cluster.groups[i] = 1;
      pacemaker.partition(cluster.groups);
      return world.after(world.ms(60'000), [&] {
        std::fill(cluster.groups.begin(), cluster.groups.end(), 0);
        pacemaker.heal();
      });
    case 3:
      pacemaker.set_maintenance(true);
      return world.after(world.ms(30'000), [&] { pacemaker.set_maintenance(false); });
    case 4:
      return pacemaker.restart(i, world.chance(50));
    case 5:
      pacemaker.configure(i, [](NodeState& node) { node.standby = true; });
      return world.after(world.ms(30'000), [&, i] {
        pacemaker.configure(i, [](NodeState& node) { node.standby = false; });
      });
    case 6:
      return pacemaker.configure(i, [score = static_cast<int>(world.random(2) * 500)](
                                        NodeState& node) { node.promoted_preference = {score}; });
    case 7:
      cluster.copies[i].running = cluster.copies[i].active = false;  // the server dies
      return;
    default:
      return pacemaker.clean_up();
  }
}

TEST_CASE("a cluster that boots promotes one node and gives it the address") {
  SmallCluster cluster(1);
  CHECK(cluster.settles_within(60'000));
}

TEST_CASE("a dead server is found by the monitor and promoted where it was or elsewhere") {
  SmallCluster cluster(2);
  REQUIRE(cluster.settles_within(60'000));
  SmallCopy& active = cluster.copies[cluster.writable().front()];
  active.running = active.active = false;
  CHECK(cluster.writable().empty());
  CHECK(cluster.settles_within(30'000));
}

TEST_CASE("a hung corosync on the active has another promoted, and the lease ends the old one") {
  SmallCluster cluster(3);
  REQUIRE(cluster.settles_within(60'000));
  const std::size_t old = cluster.writable().front();
  cluster.pacemaker.set_hung(old, true);
  cluster.world.run_until(cluster.world.now_ms() + 60'000);
  REQUIRE(cluster.writable().size() == 1);
  CHECK(cluster.writable().front() != old);
  CHECK(cluster.longest_overlap_ms <= ReferenceAgent::kLeaseMs);
}

TEST_CASE(
    "whatever befalls Pacemaker, one node is active in the end, and two never for longer than a "
    "lease",
    "[seeds]") {
  const std::uint64_t first = setting("TANDEM_SEED", 1);
  const std::uint64_t count = setting("TANDEM_SEEDS", 500);
  std::size_t aborts = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("seed " << seed);
    SmallCluster cluster(seed, {10, 3, 3}, 2 + seed % 4);
    World& world = cluster.world;
    while (world.now_ms() < 180'000) {
      world.run_until(world.now_ms() + 2000 + world.ms(15'000));
      befall(cluster);
    }
    cluster.pacemaker.set_quiet();
    world.run_until(world.now_ms() + 60'000);  // what was begun is ended
    std::fill(cluster.groups.begin(), cluster.groups.end(), 0);
    cluster.pacemaker.heal();
    cluster.pacemaker.set_maintenance(false);
    for (std::size_t i = 0; i < cluster.copies.size(); ++i) {
      cluster.pacemaker.set_hung(i, false);
      cluster.pacemaker.configure(i, [](NodeState& node) {
        node.standby = false;
        node.promoted_preference = {};
      });
      cluster.pacemaker.boot(i);
    }
    cluster.pacemaker.clean_up();
    CHECK(cluster.settles_within(120'000));
    // The old one may be granted the role once more before it notices.
    CHECK(cluster.longest_overlap_ms <= ReferenceAgent::kLeaseMs + Pacemaker::kSkewMs);
    CHECK(cluster.pacemaker.longest_action_ms() <= 50'000);
    aborts += cluster.pacemaker.aborts();
  }
  CHECK(aborts > count);
}

}  // namespace
}  // namespace tandem::simulation::pacemaker
