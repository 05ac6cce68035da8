#pragma once

#include <optional>
#include <vector>

#include "tests/simulation/pacemaker/cluster_state.h"

namespace tandem::simulation::pacemaker {

/// Where everything is to be.
struct Placement {
  std::vector<bool> runs{};  ///< an instance is to run there
  /// By node: the one without an instance that the one that runs here moves to.
  std::vector<std::optional<std::size_t>> goes_to{};
  std::optional<std::size_t> promoted{};
  std::optional<std::size_t> address{};
};

Placement place(const ClusterState& state);
/// How much an instance wants to be on that node.
Score attraction(const NodeState& node);

/// May Pacemaker act on resources of that node?
bool is_managed(const ClusterState& state, const NodeState& node);
/// The node was asked already what runs there.
bool is_known(const History& history);
/// The databases run there, or a start that failed may have left them running.
bool is_running(const NodeState& node);
/// Its instance has the role, or a promotion that failed may have given it.
bool is_promoted(const NodeState& node);
/// The resource's last action on the node makes Pacemaker stop it there, whatever comes next.
bool has_failed(const History& history);

}  // namespace tandem::simulation::pacemaker
