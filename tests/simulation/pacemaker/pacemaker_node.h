#pragma once

#include <functional>
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
  std::uint64_t boots = 0;
  bool hung = false;  ///< corosync
  std::int64_t hung_since_ms = 0;
  bool rejoins = false;  ///< corosync goes on, and has not met the others yet
  bool attrd_is_silent = false;
  std::set<std::size_t> view;
  std::map<std::size_t, std::uint64_t> joined;  ///< which boot of each is in the view
  /// As attrd here has them: by name and host.
  std::map<std::string, std::map<std::size_t, std::string>> attributes;
  std::int64_t last_write_ms = 0;
  std::vector<std::function<void()>> unsent;      ///< writes of attrd here, while corosync hangs
  std::vector<std::function<void()>> unread;      ///< what others wrote meanwhile
  std::map<std::string, std::string> properties;  ///< on its disk
  std::uint64_t properties_version = 0;
  History address{};
  std::unique_ptr<Tools> tools;
  std::unique_ptr<NodeAgent> agent;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Plan> plan;
  bool plan_is_due = false;
};

}  // namespace tandem::simulation::pacemaker
