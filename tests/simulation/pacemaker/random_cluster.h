#pragma once

#include <functional>
#include <string>

#include "tests/simulation/pacemaker/cluster_state.h"
#include "tests/simulation/world.h"

namespace tandem::simulation::pacemaker {

/// A cluster as it may be at some moment.
ClusterState random_cluster(World& world);

/// The simplest that is left of it while `differs` holds.
ClusterState shrunk(ClusterState state, const std::function<bool(const ClusterState&)>& differs);

/// A line a node: what is not as usual.
std::string describe(const ClusterState& state);

}  // namespace tandem::simulation::pacemaker
