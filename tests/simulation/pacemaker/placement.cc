#include "tests/simulation/pacemaker/placement.h"

#include <tuple>

namespace tandem::simulation::pacemaker {
namespace {

bool exceeds_threshold(const ClusterState& state, const History& history) {
  return history.fail_count.value > 0 && history.fail_count >= state.migration_threshold;
}

/// May the node run resources at all?
bool is_available(const NodeState& node) { return node.is_online() && !node.standby; }

bool may_run_databases(const ClusterState& state, const NodeState& node) {
  return is_available(node) && node.databases_preference.value >= 0 &&
         !exceeds_threshold(state, node.databases);
}

Score address_preference(const ClusterState& state, const NodeState& node) {
  return exceeds_threshold(state, node.address) ? Score{-Score::kInfinity}
                                                : node.address_preference;
}

/// A sum that would make a positive score negative makes it 1.
Score filtered(Score score, Score more) {
  const Score sum = score + more;
  return sum.value < 0 && score.value > 0 ? Score{1} : sum;
}

/// The address counts for the promoted role, through its colocation, unless that leaves no node.
bool counts_address(const ClusterState& state) {
  if (!state.has_address) return false;
  return std::any_of(state.nodes.begin(), state.nodes.end(), [&](const NodeState& node) {
    return may_run_databases(state, node) && address_preference(state, node).value >= 0;
  });
}

bool can_take(const ClusterState& state, const NodeState& node) {
  return is_managed(state, node) && is_known(node.databases);
}

/// Pacemaker moves an instance to a node that attracts it more, if none runs there, and starts
/// another in its place. By node: where its instance goes.
std::vector<std::optional<std::size_t>> moves(const ClusterState& state,
                                              const std::vector<bool>& runs) {
  std::vector<std::size_t> free;
  std::vector<std::size_t> running;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i] && can_take(state, state.nodes[i]))
      (is_running(state.nodes[i]) ? running : free).push_back(i);
  }
  std::stable_sort(free.begin(), free.end(), [&](std::size_t a, std::size_t b) {
    return attraction(state.nodes[a]) > attraction(state.nodes[b]);
  });
  std::vector<std::optional<std::size_t>> result(runs.size());
  const auto attracted = [&](std::size_t i, std::size_t to) {
    return attraction(state.nodes[to]) > attraction(state.nodes[i]) + Score{1};  // its stickiness
  };
  // With several such nodes Pacemaker's choice depends on more than is modelled here.
  if (!free.empty() && !running.empty() && attracted(running.front(), free.front()))
    result[running.front()] = free.front();
  return result;
}

/// Pacemaker looks for the score of an instance that was stopped where that was: its successor on
/// another node has none.
bool counts_score(const ClusterState& state, const Placement& placement, std::size_t i) {
  if (!placement.goes_to[i]) return true;
  for (std::size_t later = state.nodes.size(); later-- > 0;) {
    const NodeState& node = state.nodes[later];
    if (is_running(node)) return true;
    if (node.is_online() && is_known(node.databases)) return false;
  }
  return true;
}

Score promotion_score(const ClusterState& state, const NodeState& node, bool counts_attribute,
                      bool with_address) {
  const Score attribute = counts_attribute ? node.promotion_score.value_or(Score{-1}) : Score{-1};
  const Score own = attribute + node.promoted_preference;
  if (own.value < 0) return own;
  const Score address = with_address ? address_preference(state, node) : Score{};
  const Score here = filtered(node.databases_preference, address);
  return filtered(own + Score{std::max(here.value, 0)}, address);
}

/// The node with the highest score; among equals one that is promoted, then one that runs.
std::optional<std::size_t> choose(const ClusterState& state, const Placement& placement) {
  const bool with_address = counts_address(state);
  // The instance that will be on a node, by where it is now.
  std::vector<std::optional<std::size_t>> source(state.nodes.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (placement.goes_to[i]) {
      source[*placement.goes_to[i]] = i;
    } else if (is_running(state.nodes[i])) {
      source[i] = i;
    }
  }
  std::optional<std::size_t> result;
  std::tuple<bool, Score, bool, bool> best{false, {-1}, false, false};
  for (std::size_t i = 0; i < state.nodes.size(); ++i) {
    const NodeState& node = state.nodes[i];
    const bool managed = is_managed(state, node);
    const bool promoted = source[i] && is_promoted(state.nodes[*source[i]]);
    if (!placement.runs[i] || (!managed && !promoted)) continue;
    if (node.databases.failure && node.databases.failure->operation == Operation::kPromote)
      continue;
    const Score score =
        managed ? promotion_score(state, node, counts_score(state, placement, i), with_address)
                : Score{Score::kInfinity};
    const std::tuple rank{!managed, score, promoted, source[i].has_value()};
    if (score.value < 0 || rank <= best) continue;
    best = rank;
    result = i;
  }
  return result;
}

}  // namespace

/// Only positive scores of the agent count.
Score attraction(const NodeState& node) {
  const Score own{std::max(node.promotion_score.value_or(Score{}).value, 0)};
  return own + node.databases_preference;
}

bool is_managed(const ClusterState& state, const NodeState& node) {
  return !state.maintenance && !node.maintenance;
}

bool is_known(const History& history) { return history.role != History::Role::kUnknown; }

bool is_running(const NodeState& node) {
  return node.is_online() &&
         (node.databases.is_active() ||
          (node.databases.failure && node.databases.failure->operation == Operation::kStart));
}

bool is_promoted(const NodeState& node) {
  if (!is_running(node)) return false;
  const History& history = node.databases;
  if (history.failure && history.failure->operation == Operation::kPromote) return true;
  if (history.failure && history.failure->operation == Operation::kDemote) return false;
  return history.role == History::Role::kPromoted;
}

bool has_failed(const History& history) { return history.failure.has_value(); }

Placement place(const ClusterState& state) {
  Placement result;
  for (const NodeState& node : state.nodes)
    result.runs.push_back(is_managed(state, node) ? may_run_databases(state, node)
                                                  : is_running(node));
  result.goes_to = moves(state, result.runs);
  result.promoted = choose(state, result);
  if (!state.has_address || !result.promoted) return result;
  const NodeState& node = state.nodes[*result.promoted];
  const Score stickiness{is_running(node) ? 1 : 0};
  if ((address_preference(state, node) + attraction(node) + stickiness).value >= 0)
    result.address = result.promoted;
  return result;
}

}  // namespace tandem::simulation::pacemaker
