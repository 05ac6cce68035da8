#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/pacemaker/cluster_state.h"

namespace tandem::simulation::pacemaker {

/// The environment of an agent's action (OCF).
struct Request {
  enum class Action { kStart, kStop, kPromote, kDemote, kMonitor, kNotify };
  using Names = std::vector<std::string>;

  Action action = Action::kMonitor;
  std::int64_t timeout_ms = 20'000;
  std::int64_t interval_ms = 0;  ///< of a monitor; 0: a probe
  bool promoted = false;         ///< a monitor of the promoted role
  bool before = false;           ///< a notification before `operation`, else after it
  std::string operation{};       ///< "start", "stop", "promote" or "demote"
  Names active{}, inactive{}, promoted_nodes{}, unpromoted_nodes{};
  Names start{}, stop{}, promote{}, demote{};
};

/// The resource agent of one node, as the model of Pacemaker calls it: one action at a time, but
/// that notifications and monitors of one node never run side by side either.
class NodeAgent {
 public:
  using Done = std::function<void(Ocf)>;
  virtual ~NodeAgent() = default;
  /// Answers by `done`, in its own time, once.
  virtual void begin(const Request& request, Done done) = 0;
  /// The action's timeout has come: its process is killed, and `done` is not called any more.
  virtual void kill() = 0;
};

/// The transient attribute that the scheduler adds to a node's preferences.
inline constexpr const char* kPromotionScore = "master-ovndb_servers";

/// Pacemaker's tools on a node, as an agent uses them.
class ClusterTools {
 public:
  virtual ~ClusterTools() = default;
  using Values = std::map<std::string, std::string>;

  /// attrd on this node answers; otherwise nothing is written, and nothing read.
  virtual bool has_attributes() const = 0;
  /// Of a node, by default this one. It is seen a little later.
  virtual void set_attribute(const std::string& name, const std::string& value,
                             const std::string& host) = 0;
  virtual void set_attribute(const std::string& name, const std::string& value) = 0;
  /// By node, as attrd on this one has them.
  virtual Values attribute(const std::string& name) const = 0;
  /// Of the cluster information base, as this node has it.
  virtual std::optional<std::string> property(const std::string& name) const = 0;
  /// False: the others do not answer.
  virtual bool set_property(const std::string& name, const std::string& value) = 0;
  /// Quorum as the controller remembers it.
  virtual bool cached_quorum() const = 0;
  /// By a round trip to corosync; nothing while that hangs.
  virtual std::optional<bool> quorum() const = 0;
  virtual bool is_maintenance() const = 0;
  /// The databases have failed here.
  virtual void report_failure() = 0;
};

}  // namespace tandem::simulation::pacemaker
