#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/pacemaker/pacemaker.h"

namespace tandem::simulation::pacemaker {

/// A transition that a DC carries out.
struct Pacemaker::Plan {
  std::uint64_t number = 0;
  ClusterState state;
  Transition transition;
  std::vector<bool> begun, ended;
  std::size_t running = 0;
  bool aborted = false;
};

struct Pacemaker::Node {
  NodeState configured;  ///< name, standby, preferences: the same for all partitions
  bool up = false;
  bool hung = false;  ///< corosync
  std::set<std::size_t> view;
  std::map<std::string, std::string> attributes;
  std::optional<Score> score;
  History address{};
  std::unique_ptr<Tools> tools;
  std::unique_ptr<NodeAgent> agent;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Plan> plan;
  bool plan_is_due = false;
};

}  // namespace tandem::simulation::pacemaker
