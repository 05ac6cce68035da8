#include "tests/simulation/pacemaker/random_cluster.h"

#include <fmt/core.h>

#include "tests/simulation/pacemaker/placement.h"

namespace tandem::simulation::pacemaker {
namespace {

Score random_score(World& world) {
  switch (world.random(6)) {
    case 0:
      return {-Score::kInfinity};
    case 1:
      return {Score::kInfinity};
    case 2:
      return {-static_cast<int>(world.random(120))};
    default:
      return {static_cast<int>(world.random(1000))};
  }
}

Failure random_failure(World& world, const History& history) {
  switch (history.role) {
    case History::Role::kUnknown:
    case History::Role::kStopped:
      return {Operation::kStart, Ocf::kError};
    case History::Role::kUnpromoted:
      if (world.chance(25)) return {Operation::kPromote, Ocf::kError};
      return {Operation::kMonitor, world.chance(50) ? Ocf::kError : Ocf::kNotRunning};
    case History::Role::kPromoted:
      if (world.chance(25)) return {Operation::kDemote, Ocf::kError};
      return {Operation::kMonitorPromoted,
              world.chance(50) ? Ocf::kError
                               : (world.chance(50) ? Ocf::kNotRunning : Ocf::kFailedPromoted)};
  }
  return {};
}

void add_failure(World& world, History& history) {
  if (history.role == History::Role::kUnknown) return;
  history.failure = random_failure(world, history);
  history.fail_count.value = 1 + static_cast<int>(world.random(4));
  if (history.failure->operation == Operation::kStart) history.fail_count = {Score::kInfinity};
  history.monitored = history.failure->operation == Operation::kMonitor ||
                      history.failure->operation == Operation::kMonitorPromoted;
}

NodeState random_node(World& world, std::size_t i) {
  NodeState node;
  node.name = fmt::format("n{}", i + 1);
  if (world.chance(12))
    node.presence =
        world.chance(50) ? NodeState::Presence::kOffline : NodeState::Presence::kUnclean;
  node.standby = world.chance(10);
  node.maintenance = world.chance(5);
  node.databases.role = world.chance(65)   ? History::Role::kUnpromoted
                        : world.chance(70) ? History::Role::kStopped
                                           : History::Role::kUnknown;
  node.databases.monitored = node.databases.is_active() && world.chance(85);
  node.address.role = node.databases.role == History::Role::kUnknown ? History::Role::kUnknown
                                                                     : History::Role::kStopped;
  if (world.chance(75)) node.promotion_score = random_score(world);
  if (world.chance(15)) node.promoted_preference = random_score(world);
  if (world.chance(10)) node.address_preference = random_score(world);
  if (world.chance(8)) node.databases_preference = {-Score::kInfinity};
  if (world.chance(8)) add_failure(world, node.databases);
  return node;
}

void promote_some(World& world, ClusterState& state) {
  if (!world.chance(65)) return;
  NodeState& node = state.nodes[world.random(state.nodes.size())];
  if (!node.databases.is_active()) return;
  node.databases.role = History::Role::kPromoted;
  if (node.databases.failure) add_failure(world, node.databases);
  if (world.chance(85)) node.address.role = History::Role::kUnpromoted;
  node.address.monitored = node.address.is_active() && world.chance(85);
  if (node.address.is_active() && world.chance(8)) {
    node.address.failure = Failure{Operation::kMonitor, Ocf::kNotRunning};
    node.address.fail_count.value = 1 + static_cast<int>(world.random(4));
  }
}

/// Pacemaker moves instances to nodes without one that have a higher score. Of such moves the model
/// knows only that of a single instance to a single node.
void forget_stopped_scores(World& world, ClusterState& state) {
  const bool keep_one = world.chance(30) && !state.nodes.empty();
  std::size_t running = 0;
  for (const NodeState& node : state.nodes) running += is_running(node) ? 1 : 0;
  bool kept = false;
  for (NodeState& node : state.nodes) {
    node.databases_preference.value = std::min(node.databases_preference.value, 0);
    if (is_running(node) || !node.promotion_score || node.promotion_score->value <= 0) continue;
    if (keep_one && running <= 1 && !kept && !state.has_address) {
      kept = true;
    } else if (running > 0) {
      node.promotion_score.reset();
    }
  }
}

using Simplification = std::function<void(NodeState&)>;

const std::vector<Simplification>& simplifications() {
  static const std::vector<Simplification> all{
      [](NodeState& node) { node.presence = NodeState::Presence::kOnline; },
      [](NodeState& node) { node.standby = false; },
      [](NodeState& node) { node.maintenance = false; },
      [](NodeState& node) { node.databases = History{History::Role::kStopped}; },
      [](NodeState& node) { node.databases.failure.reset(); },
      [](NodeState& node) { node.databases.fail_count = {}; },
      [](NodeState& node) {
        if (!node.databases.failure) node.databases.monitored = node.databases.is_active();
      },
      [](NodeState& node) { node.address = History{History::Role::kStopped}; },
      [](NodeState& node) { node.address.failure.reset(); },
      [](NodeState& node) { node.address.fail_count = {}; },
      [](NodeState& node) { node.address.monitored = node.address.is_active(); },
      [](NodeState& node) { node.promotion_score.reset(); },
      [](NodeState& node) {
        if (node.promotion_score) node.promotion_score = Score{100};
      },
      [](NodeState& node) { node.promoted_preference = {}; },
      [](NodeState& node) { node.databases_preference = {}; },
      [](NodeState& node) { node.address_preference = {}; },
  };
  return all;
}

}  // namespace

ClusterState random_cluster(World& world) {
  ClusterState state;
  state.has_address = world.chance(80);
  state.has_quorum = world.chance(94);
  state.maintenance = world.chance(4);
  if (world.chance(40)) state.migration_threshold.value = 1 + static_cast<int>(world.random(3));
  const std::size_t nodes = 1 + world.random(5);
  for (std::size_t i = 0; i < nodes; ++i) state.nodes.push_back(random_node(world, i));
  promote_some(world, state);
  if (world.chance(8)) promote_some(world, state);
  forget_stopped_scores(world, state);
  return state;
}

ClusterState shrunk(ClusterState state, const std::function<bool(const ClusterState&)>& differs) {
  for (bool shrinks = true; std::exchange(shrinks, false);) {
    const auto attempt = [&](auto&& change) {
      ClusterState simpler = state;
      change(simpler);
      if (describe(simpler) == describe(state) || !differs(simpler)) return false;
      state = std::move(simpler);
      return shrinks = true;
    };
    for (std::size_t i = state.nodes.size(); i-- > 0 && state.nodes.size() > 1;) {
      attempt([i](ClusterState& simpler) {
        simpler.nodes.erase(simpler.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      });
    }
    attempt([](ClusterState& simpler) { simpler.has_address = false; });
    attempt([](ClusterState& simpler) { simpler.has_quorum = true; });
    attempt([](ClusterState& simpler) { simpler.maintenance = false; });
    attempt([](ClusterState& simpler) { simpler.migration_threshold = {Score::kInfinity}; });
    for (std::size_t i = 0; i < state.nodes.size(); ++i) {
      for (const Simplification& simplify : simplifications())
        attempt([&](ClusterState& simpler) { simplify(simpler.nodes[i]); });
    }
  }
  return state;
}

std::string describe(const ClusterState& state) {
  const auto text = [](Score score) { return std::to_string(score.value); };
  const auto history = [&](std::string_view name, const History& of) {
    std::string result = fmt::format(" {} {}{}", name, static_cast<int>(of.role),
                                     of.is_active() && !of.monitored ? " unmonitored" : "");
    if (of.failure)
      result += fmt::format(" failed {} with {}", static_cast<int>(of.failure->operation),
                            static_cast<int>(of.failure->code));
    if (of.fail_count.value > 0) result += " count " + text(of.fail_count);
    return result;
  };
  std::string result =
      fmt::format("{}{}{}threshold {}\n", state.has_address ? "" : "no address, ",
                  state.has_quorum ? "" : "no quorum, ", state.maintenance ? "maintenance, " : "",
                  text(state.migration_threshold));
  for (const NodeState& node : state.nodes) {
    result += node.name + history("databases", node.databases) + history("address", node.address);
    if (!node.is_online()) result += fmt::format(" presence {}", static_cast<int>(node.presence));
    if (node.standby) result += " standby";
    if (node.maintenance) result += " maintenance";
    if (node.promotion_score) result += " score " + text(*node.promotion_score);
    if (node.promoted_preference.value != 0) result += " prefers " + text(node.promoted_preference);
    if (node.databases_preference.value != 0)
      result += " databases " + text(node.databases_preference);
    if (node.address_preference.value != 0) result += " address " + text(node.address_preference);
    result += '\n';
  }
  return result;
}

}  // namespace tandem::simulation::pacemaker
