#pragma once

#include "tests/simulation/pacemaker/transition.h"

namespace tandem::simulation::pacemaker {

/// Pacemaker 2.1.5's scheduler for the one configuration that is of interest here.
Transition schedule(const ClusterState& state);

}  // namespace tandem::simulation::pacemaker
