#pragma once

#include <set>

#include "tests/simulation/pacemaker/executor.h"
#include "tests/simulation/pacemaker/transition.h"

namespace tandem::simulation::pacemaker {

/// Pacemaker and corosync on all nodes. Each node has its view of the membership; in each partition
/// the first node is the designated controller (DC), which carries out the scheduler's transitions.
/// A change meanwhile aborts one: nothing more of it is begun, and once what runs has ended a
/// new one is computed.
class Pacemaker {
 public:
  using AgentFactory = std::function<std::unique_ptr<NodeAgent>(std::size_t, ClusterTools&)>;
  /// A node that is gone is noticed after the token time, by each of the others in its own time.
  static constexpr std::int64_t kTokenMs = 3000;
  static constexpr std::int64_t kSkewMs = 1500;

  Pacemaker(World& world, std::size_t nodes, Faults faults, AgentFactory factory);
  ~Pacemaker();

  // --- what befalls the cluster ---
  /// The machine starts, with corosync and Pacemaker.
  void boot(std::size_t i);
  /// The machine is gone at once.
  void crash(std::size_t i);
  /// SIGSTOP to corosync, and SIGCONT.
  void set_hung(std::size_t i, bool hung);
  /// Pacemaker is stopped without the resources (maintenance), and started: it knows nothing any
  /// more, and the transient attributes are gone unless it `remembers`.
  void restart(std::size_t i, bool remembers);
  /// Nodes reach each other if they are of the same group.
  void partition(std::vector<int> groups);
  void heal() { partition(std::vector<int>(nodes_.size())); }
  void set_maintenance(bool maintenance);
  /// Changes the configuration of a node: standby, preferences.
  void configure(std::size_t i, const std::function<void(NodeState&)>& change);
  /// attrd answers nothing on that node, or again.
  void set_attrd_silent(std::size_t i, bool silent);
  /// From now on a partition with quorum has the nodes that leave it powered off by `fence` before
  /// it goes on without them.
  void set_fencing(std::function<void(std::size_t)> fence) { fence_ = std::move(fence); }
  void set_quiet() { faults_ = {}; }
  /// Forgets failures, as an administrator does.
  void clean_up();

  // --- what is seen from outside ---
  std::size_t size() const { return nodes_.size(); }
  const std::string& name(std::size_t i) const;
  bool is_up(std::size_t i) const;
  bool has_address(std::size_t i) const;
  const History& history(std::size_t i) const;
  /// Each has the other in its view, and reaches it.
  bool sees(std::size_t i, std::size_t other) const;
  /// Names of attributes that attrd has on that node.
  std::size_t attribute_names(std::size_t i) const;
  std::size_t properties(std::size_t i) const;
  /// Someone has the role as far as the histories tell.
  std::optional<std::size_t> promoted() const;
  /// No action ran longer than its timeout.
  std::int64_t longest_action_ms() const { return longest_ms_; }
  std::size_t transitions() const { return transitions_; }
  std::size_t aborts() const { return aborts_; }
  /// Actions that their timeout ended although the agent had begun them.
  std::size_t killed() const;

 private:
  struct Node;
  struct Plan;
  class Tools;

  void change_views();
  void take_view(std::size_t i, const std::set<std::size_t>& view);
  std::set<std::size_t> reachable_from(std::size_t i) const;
  bool hears(std::size_t i, std::size_t other) const;
  void forget_host(Node& node, std::size_t host);
  void take_over_from(Node& node, std::size_t other);
  void fence(std::size_t i, const std::set<std::size_t>& lost);
  // Attributes and properties: replicated.cc.
  void write_attribute(std::size_t i, const std::string& name, std::size_t host,
                       const std::string& value);
  void store_attribute(std::size_t at, const std::string& name, std::size_t host,
                       const std::string& value);
  bool write_property(std::size_t i, const std::string& name, const std::string& value);
  void give_up_actions(std::size_t dc, std::size_t on);
  bool is_dc(std::size_t i) const;
  void plan_soon(std::size_t dc);
  void abort_all();
  /// Something changed on that node: the DC that sees it plans anew.
  void changed(std::size_t i);
  ClusterState state_seen_by(std::size_t dc) const;
  void begin_plan(std::size_t dc);
  void go_on(std::size_t dc);
  void begin_action(std::size_t dc, std::size_t index);
  void end_action(std::size_t dc, std::uint64_t plan, std::size_t index, bool failed);
  void run_address(const Action& action, std::function<void(bool)> done);
  Request request_of(const Plan& plan, const Action& action) const;

  World& world_;
  Faults faults_;
  AgentFactory factory_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<int> groups_;
  bool maintenance_ = false;
  std::uint64_t plans_ = 0;
  std::uint64_t membership_ = 0;
  std::int64_t longest_ms_ = 0;
  std::size_t transitions_ = 0;
  std::size_t aborts_ = 0;
  std::size_t killed_ = 0;
  std::function<void(std::size_t)> fence_;
};

}  // namespace tandem::simulation::pacemaker
