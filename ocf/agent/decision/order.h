#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ocf/agent/decision/settings.h"

namespace tandem::agent {

/// OCF's exit codes.
enum class Exit : std::uint8_t {
  kSuccess = 0,
  kError = 1,
  kNotRunning = 7,
  kPromoted = 8,
  kFailedPromoted = 9,
};

/// The order to the agent: one action of Pacemaker on one node. A value.
struct Order {
  enum class Action : std::uint8_t {
    kStart,
    kStop,
    kPromote,
    kDemote,
    kMonitor,
    kNotify,
    kReload,
    kKeep,  ///< not Pacemaker's: the keeper, which lives as long as the role
  };

  Action action = Action::kMonitor;
  std::string
      node;  ///< where this instance runs, as Pacemaker calls it; empty: nothing is published
  std::string attributes_host;  ///< whose attributes it has: the node, or a bundle's host
  std::int64_t timeout_ms = 20000;
  std::int64_t interval_ms = 0;  ///< of a monitor that recurs
  bool promoted = false;         ///< a monitor of the promoted role

  /// A monitor that could not wait for what goes on behind an earlier action: it says what it sees.
  bool only_looks = false;
  /// Of what is done after its answer: the memory's turn at the answer. Later ones are not its own.
  std::optional<std::int64_t> turn;

  /// A notification: before or after `operation`.
  bool before = false;
  std::string operation;
  /// The nodes that Pacemaker names in notifications and in actions of clones with notify.
  Names starting, stopping, promoting, demoting, promoted_nodes, unpromoted_nodes;

  // How the clone is set up now: Pacemaker restarts nothing when this changes.
  std::int64_t promoted_max = 1;
  bool is_notified = true;
  /// Why nobody may be promoted in a clone like this; empty: it is as it should be.
  std::string fault_of_clone() const {
    if (promoted_max != 1)
      return "promoted-max is " + std::to_string(promoted_max) + ": there can be one active only";
    if (!is_notified) return "the clone needs notify=true: copies are compared in notifications";
    return "";
  }

  Settings settings;

  /// Those that hand the role over. One that is recovered is demoted, too, but promoted again.
  Names leaving() const {
    Names names;
    for (const std::string& name : demoting) {
      if (!contains(promoting, name)) names.push_back(name);
    }
    return names;
  }
  /// The instance there stops, and is not to be started again at once.
  bool stays_stopped(const std::string& name) const {
    return contains(stopping, name) && !contains(starting, name);
  }

  /// The time that the action may take: the rest of the timeout is for what cannot be hurried.
  std::int64_t budget_ms() const { return timeout_ms * 4 / 5; }
};

}  // namespace tandem::agent
