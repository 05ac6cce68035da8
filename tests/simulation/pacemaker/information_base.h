#pragma once

#include <string>

#include "tests/simulation/pacemaker/cluster_state.h"

namespace tandem::simulation::pacemaker {

/// The same cluster as the XML that Pacemaker keeps: for its own tools.
std::string to_xml(const ClusterState& state);

}  // namespace tandem::simulation::pacemaker
