#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/pacemaker/cluster_state.h"

namespace tandem::simulation::pacemaker {

enum class Resource { kDatabases, kAddress };

/// One step of a transition on one node.
struct Action {
  enum class Kind { kRun, kCancel, kPreNotify, kPostNotify };
  Resource resource = Resource::kDatabases;
  Kind kind = Kind::kRun;
  Operation operation = Operation::kProbe;  ///< of a notification: what it is about
  std::size_t node = 0;
  std::vector<std::size_t> after{};  ///< indexes of the actions that must have ended

  std::string to_string(const ClusterState& state) const;
};

/// The actions that Pacemaker means to run, in an order in which it may. The lists are those that
/// notifications show (CRM_meta_notify_*_uname), as indexes of nodes.
struct Transition {
  std::vector<Action> actions{};
  std::optional<std::size_t> promoted{};  ///< the node that has the role in the end
  std::vector<std::size_t> active{}, inactive{}, promoted_now{}, unpromoted_now{};
  std::vector<std::size_t> start{}, stop{}, promote{}, demote{};
};

}  // namespace tandem::simulation::pacemaker
