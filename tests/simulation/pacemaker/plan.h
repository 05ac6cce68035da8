#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/simulation/pacemaker/transition.h"

namespace tandem::simulation::pacemaker {

/// A transition in words, for a comparison: each action with all those that come before it, and
/// what notifications show.
struct Plan {
  std::map<std::string, std::set<std::string>> actions;
  std::map<std::string, std::set<std::string>> shown;  ///< list of a notification to nodes

  friend bool operator==(const Plan&, const Plan&) = default;
};

Plan to_plan(const ClusterState& state, const Transition& transition);
/// That of Debian's crm_simulate; throws std::runtime_error. Files go to the folder `scratch`.
Plan simulated_plan(const ClusterState& state, const std::string& scratch);
/// The end of a monitor that has failed comes with the recovery; sometimes Pacemaker orders it too.
void leave_out_ends_of_failed_monitors(Plan& plan, const ClusterState& state);
/// Where the two differ, a line each.
std::string difference(const Plan& ours, const Plan& theirs);

}  // namespace tandem::simulation::pacemaker
