#include "tests/simulation/pacemaker/scheduler.h"

#include "tests/simulation/pacemaker/placement.h"

namespace tandem::simulation::pacemaker {
namespace {

using Kind = Action::Kind;
using Indexes = std::vector<std::size_t>;

bool contains(const Indexes& list, std::size_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// Computes one transition.
class Scheduler {
 public:
  explicit Scheduler(const ClusterState& state) : state_(state), placement_(place(state)) {}

  Transition run() {
    list_nodes();
    probe();
    stop_address();
    demote();
    stop();
    start();
    promote();
    start_address();
    monitor();
    cancel_unmanaged();
    transition_.start.insert(transition_.start.end(), shown_starts_.begin(), shown_starts_.end());
    if (placement_.promoted && runs_there(*placement_.promoted))
      transition_.promoted = placement_.promoted;
    return std::move(transition_);
  }

 private:
  const NodeState& node(std::size_t i) const { return state_.nodes[i]; }
  bool is_managed_at(std::size_t i) const { return is_managed(state_, node(i)); }
  bool runs_there(std::size_t i) const {
    return placement_.runs[i] && (state_.has_quorum || !is_managed_at(i));
  }
  bool is_active(std::size_t i) const { return is_running(node(i)); }
  bool is_promoted(std::size_t i) const { return pacemaker::is_promoted(node(i)); }

  std::size_t add(Resource resource, Kind kind, Operation operation, std::size_t i,
                  const Indexes& after) {
    transition_.actions.push_back({resource, kind, operation, i, after});
    return transition_.actions.size() - 1;
  }

  void list_nodes() {
    Transition& t = transition_;
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) {
      const bool active = is_active(i);
      const bool runs = runs_there(i);
      if (active) {
        t.active.push_back(i);
        (is_promoted(i) ? t.promoted_now : t.unpromoted_now).push_back(i);
      } else if (runs) {
        t.inactive.push_back(i);
      }
      if (!is_managed_at(i)) {
        // Notifications show the start that would repair it.
        if (active && has_failed(node(i).databases)) shown_starts_.push_back(i);
        continue;
      }
      const bool stops =
          active && (!runs || placement_.goes_to[i] || has_failed(node(i).databases));
      const bool starts = runs && (!active || stops);
      const bool becomes = placement_.promoted == i && runs;
      if (stops) t.stop.push_back(i);
      if (starts) t.start.push_back(i);
      if (is_promoted(i) && (stops || !becomes)) t.demote.push_back(i);
      if (becomes && (starts || !is_promoted(i))) t.promote.push_back(i);
    }
  }

  void probe() {
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) {
      if (!node(i).is_online()) continue;
      if (!is_known(node(i).databases))
        probes_.push_back(add(Resource::kDatabases, Kind::kRun, Operation::kProbe, i, {}));
      if (state_.has_address && !is_known(node(i).address))
        address_probes_.push_back(add(Resource::kAddress, Kind::kRun, Operation::kProbe, i, {}));
    }
  }

  // --- the address ---

  bool address_runs_at(std::size_t i) const {
    return state_.has_address && node(i).is_online() && node(i).address.is_active();
  }
  /// It stays where it is unless the promotion there is made anew.
  bool address_stays_at(std::size_t i, std::size_t copies) const {
    return state_.has_quorum && copies == 1 && placement_.address == i &&
           !has_failed(node(i).address) && !contains(transition_.promote, i);
  }

  void stop_address() {
    std::size_t copies = 0;
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) copies += address_runs_at(i) ? 1 : 0;
    address_runs_ = false;
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) {
      if (!address_runs_at(i)) continue;
      if (!is_managed_at(i) || address_stays_at(i, copies)) {
        address_runs_ = true;
      } else {
        address_stops_.push_back(add(Resource::kAddress, Kind::kRun, Operation::kStop, i, {}));
      }
    }
  }

  void start_address() {
    if (!state_.has_quorum || !placement_.address || address_runs_) return;
    if (!is_managed_at(*placement_.address)) return;
    Indexes after = address_probes_;
    after.insert(after.end(), address_stops_.begin(), address_stops_.end());
    if (!transition_.promote.empty()) after.insert(after.end(), done_.begin(), done_.end());
    address_start_ =
        add(Resource::kAddress, Kind::kRun, Operation::kStart, *placement_.address, after);
  }

  // --- the databases, in phases ---

  /// A phase: all that are concerned are told, the action, and all are told again.
  void phase(Operation operation, const Indexes& nodes, const Indexes& told_before,
             const Indexes& told_after, Indexes extra) {
    const bool is_shown = operation == Operation::kStart && !shown_starts_.empty();
    if (nodes.empty() && !is_shown) return;
    Indexes before = done_;
    for (const std::size_t i : told_before)
      before.push_back(add(Resource::kDatabases, Kind::kPreNotify, operation, i, done_));
    before.insert(before.end(), extra.begin(), extra.end());
    Indexes ran = before;
    if (operation == Operation::kStop) ran.insert(ran.end(), probes_.begin(), probes_.end());
    for (const std::size_t i : nodes) {
      Indexes after = before;
      const bool role_changes = operation == Operation::kPromote || operation == Operation::kDemote;
      if (role_changes) cancel(i, after);
      ran.push_back(add(Resource::kDatabases, Kind::kRun, operation, i, after));
    }
    done_ = ran;
    for (const std::size_t i : told_after)
      done_.push_back(add(Resource::kDatabases, Kind::kPostNotify, operation, i, ran));
  }

  /// The monitor of a role ends before an instance that goes on running changes it.
  void cancel(std::size_t i, Indexes& after) {
    const History& history = node(i).databases;
    if (!role_changes_at(i) || !history.monitored) return;
    if (history.failure) return;  // it is over
    after.push_back(add(Resource::kDatabases, Kind::kCancel, monitor_of(is_promoted(i)), i, {}));
  }
  /// Even if the instance is restarted meanwhile.
  bool role_changes_at(std::size_t i) const {
    return is_active(i) && placement_.runs[i] && !placement_.goes_to[i] &&
           is_promoted(i) != (placement_.promoted == i);
  }
  static Operation monitor_of(bool promoted) {
    return promoted ? Operation::kMonitorPromoted : Operation::kMonitor;
  }

  Indexes without(const Indexes& list, const Indexes& gone) const {
    Indexes result;
    std::copy_if(list.begin(), list.end(), std::back_inserter(result),
                 [&](std::size_t i) { return is_managed_at(i) && !contains(gone, i); });
    return result;
  }
  /// Those that run after stops and starts.
  Indexes running_then() const {
    Indexes result;
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) {
      if (is_managed_at(i) && runs_there(i)) result.push_back(i);
    }
    return result;
  }

  void demote() {
    const Indexes all = without(transition_.active, {});
    Indexes extra = address_stops_;
    extra.insert(extra.end(), address_probes_.begin(), address_probes_.end());
    phase(Operation::kDemote, transition_.demote, all, all, extra);
  }
  void stop() {
    const Indexes stay = without(transition_.active, transition_.stop);
    phase(Operation::kStop, transition_.stop, without(transition_.active, {}), stay, {});
  }
  void start() {
    phase(Operation::kStart, transition_.start, without(transition_.active, transition_.stop),
          running_then(), probes_);
  }
  void promote() {
    phase(Operation::kPromote, transition_.promote, running_then(), running_then(), {});
  }

  // --- monitors ---

  void monitor() {
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) {
      if (!is_managed_at(i) || !runs_there(i)) continue;
      const bool promoted = placement_.promoted == i;
      const bool goes_on = is_active(i) && !contains(transition_.stop, i) &&
                           is_promoted(i) == promoted && node(i).databases.monitored;
      if (!goes_on) add(Resource::kDatabases, Kind::kRun, monitor_of(promoted), i, done_);
    }
    if (!state_.has_quorum || !placement_.address || !is_managed_at(*placement_.address)) return;
    if (address_start_) {
      add(Resource::kAddress, Kind::kRun, Operation::kMonitor, *placement_.address,
          {*address_start_});
    } else if (!node(*placement_.address).address.monitored) {
      add(Resource::kAddress, Kind::kRun, Operation::kMonitor, *placement_.address, {});
    }
  }

  void cancel_unmanaged() {
    for (std::size_t i = 0; i < state_.nodes.size(); ++i) {
      if (!node(i).is_online()) continue;
      // A role that would have changed with quorum.
      if (is_managed_at(i) && !state_.has_quorum && role_changes_at(i) && !is_promoted(i) &&
          node(i).databases.monitored && !has_failed(node(i).databases))
        add(Resource::kDatabases, Kind::kCancel, monitor_of(is_promoted(i)), i, {});
      if (is_managed_at(i)) continue;
      if (is_active(i) && is_monitored_still(node(i), node(i).databases))
        add(Resource::kDatabases, Kind::kCancel, monitor_of(is_promoted(i)), i, {});
      if (address_runs_at(i) && is_monitored_still(node(i), node(i).address))
        add(Resource::kAddress, Kind::kCancel, Operation::kMonitor, i, {});
    }
  }

  bool is_monitored_still(const NodeState& node, const History& history) const {
    return history.monitored && !history.failure && (node.maintenance || !node.standby);
  }

  const ClusterState& state_;
  const Placement placement_;
  Transition transition_;
  Indexes done_;  ///< what the next phase waits for
  Indexes probes_, address_probes_, address_stops_;
  std::optional<std::size_t> address_start_;
  Indexes shown_starts_;
  bool address_runs_ = false;  ///< somewhere, and stays there
};

std::string name_of(Operation operation) {
  switch (operation) {
    case Operation::kProbe:
      return "monitor_0";
    case Operation::kStart:
      return "start_0";
    case Operation::kStop:
      return "stop_0";
    case Operation::kPromote:
      return "promote_0";
    case Operation::kDemote:
      return "demote_0";
    case Operation::kMonitor:
      return "monitor_10000";
    case Operation::kMonitorPromoted:
      return "monitor_15000";
  }
  return "";
}

}  // namespace

Transition schedule(const ClusterState& state) { return Scheduler(state).run(); }

std::string Action::to_string(const ClusterState& state) const {
  std::string result = resource == Resource::kDatabases ? "ovn" : "vip";
  if (kind == Kind::kPreNotify) result += "_pre_notify";
  if (kind == Kind::kPostNotify) result += "_post_notify";
  result += '_' + name_of(operation) + '@' + state.nodes[node].name;
  return kind == Kind::kCancel ? "cancel " + result : result;
}

}  // namespace tandem::simulation::pacemaker
