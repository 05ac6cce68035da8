#include "tests/simulation/pacemaker/pacemaker.h"

#include "tests/simulation/pacemaker/scheduler.h"

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

/// Pacemaker's tools on one node. An attribute is seen by others a little later.
class Pacemaker::Tools final : public ClusterTools {
 public:
  Tools(Pacemaker& cluster, std::size_t i) : cluster_(cluster), i_(i) {}

  void set_promotion_score(std::optional<Score> score) override {
    later([this, score] {
      if (node().score == score) return;
      node().score = score;
      cluster_.changed(i_);
    });
  }
  void set_attribute(const std::string& name, const std::string& value) override {
    later([this, name, value] { node().attributes[name] = value; });
  }
  Values attribute(const std::string& name) const override {
    if (node().hung) return std::nullopt;
    std::map<std::string, std::string> result;
    for (const std::size_t other : node().view) {
      const Node& from = *cluster_.nodes_[other];
      if (const auto found = from.attributes.find(name); found != from.attributes.end())
        result[from.configured.name] = found->second;
    }
    return result;
  }
  bool cached_quorum() const override { return node().view.size() * 2 > cluster_.nodes_.size(); }
  std::optional<bool> quorum() const override {
    return node().hung ? std::nullopt : std::optional(cached_quorum());
  }
  bool is_maintenance() const override { return cluster_.maintenance_; }

 private:
  Node& node() const { return *cluster_.nodes_[i_]; }
  void later(std::function<void()> change) {
    cluster_.world_.after(2 + cluster_.world_.ms(cluster_.world_.chance(5) ? 2000 : 60),
                          [alive = std::weak_ptr(alive_), change = std::move(change)] {
                            if (!alive.expired()) change();
                          });
  }

  Pacemaker& cluster_;
  const std::size_t i_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

Pacemaker::Pacemaker(World& world, std::size_t nodes, Faults faults, AgentFactory factory)
    : world_(world), faults_(faults), factory_(std::move(factory)), groups_(nodes) {
  for (std::size_t i = 0; i < nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>());
    nodes_.back()->configured.name = std::string(1, static_cast<char>('a' + i));
  }
}

Pacemaker::~Pacemaker() = default;

// --- what befalls the cluster ---

void Pacemaker::boot(std::size_t i) {
  Node& node = *nodes_[i];
  if (node.up) return;
  node.up = true;
  node.hung = false;
  node.attributes.clear();
  node.score.reset();
  node.address = {};
  node.tools = std::make_unique<Tools>(*this, i);
  node.agent = factory_(i, *node.tools);
  node.executor =
      std::make_unique<Executor>(world_, *node.agent, faults_, [this, i] { changed(i); });
  node.view = {i};
  world_.trace(node.configured.name, "boots");
  change_views();
}

void Pacemaker::crash(std::size_t i) {
  Node& node = *nodes_[i];
  if (!node.up) return;
  world_.trace(node.configured.name, "crashes");
  longest_ms_ = std::max(longest_ms_, node.executor->longest_ms());
  node.up = false;
  node.plan.reset();
  node.executor.reset();
  node.agent.reset();
  node.tools.reset();
  node.view.clear();
  // It may be back before the others have noticed.
  for (std::size_t dc = 0; dc < nodes_.size(); ++dc) give_up_actions(dc, i);
  change_views();
}

void Pacemaker::set_hung(std::size_t i, bool hung) {
  if (!nodes_[i]->up || nodes_[i]->hung == hung) return;
  world_.trace(nodes_[i]->configured.name, hung ? "corosync hangs" : "corosync goes on");
  nodes_[i]->hung = hung;
  change_views();
}

void Pacemaker::restart(std::size_t i, bool remembers) {
  Node& node = *nodes_[i];
  if (!node.up) return;
  world_.trace(node.configured.name, "Pacemaker is restarted");
  node.executor->forget();
  node.address.role = History::Role::kUnknown;
  node.plan.reset();
  if (!remembers) {
    node.attributes.clear();
    node.score.reset();
  }
  changed(i);
}

void Pacemaker::partition(std::vector<int> groups) {
  groups_ = std::move(groups);
  change_views();
}

void Pacemaker::set_maintenance(bool maintenance) {
  maintenance_ = maintenance;
  abort_all();
}

void Pacemaker::configure(std::size_t i, const std::function<void(NodeState&)>& change) {
  change(nodes_[i]->configured);
  abort_all();
}

void Pacemaker::clean_up() {
  for (const auto& node : nodes_) {
    if (node->executor) node->executor->forget_failures();
    node->address.failure.reset();
  }
  abort_all();
}

// --- membership ---

std::set<std::size_t> Pacemaker::reachable_from(std::size_t i) const {
  std::set<std::size_t> result;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    const bool near = other == i || groups_[other] == groups_[i];
    if (near && nodes_[other]->up && (other == i || !nodes_[other]->hung)) result.insert(other);
  }
  return result;
}

/// Each node learns of a change in its own time; a hung one not at all.
void Pacemaker::change_views() {
  const std::uint64_t number = ++membership_;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    world_.after(kTokenMs + world_.ms(kSkewMs), [this, i, number] {
      Node& node = *nodes_[i];
      if (number == membership_ && node.up && !node.hung) take_view(i, reachable_from(i));
    });
  }
}

void Pacemaker::take_view(std::size_t i, const std::set<std::size_t>& view) {
  if (nodes_[i]->view == view) return;
  nodes_[i]->view = view;
  if (!is_dc(i)) nodes_[i]->plan.reset();  // what it began ends where it runs
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (!view.contains(other)) give_up_actions(i, other);
  }
  changed(i);
}

/// What the DC had begun on a node that is gone is taken for failed.
void Pacemaker::give_up_actions(std::size_t dc, std::size_t on) {
  const Plan* plan = nodes_[dc]->plan.get();
  if (plan == nullptr) return;
  for (std::size_t index = 0; index < plan->begun.size(); ++index) {
    if (plan->begun[index] && plan->transition.actions[index].node == on)
      end_action(dc, plan->number, index, true);
  }
}

bool Pacemaker::is_dc(std::size_t i) const {
  const Node& node = *nodes_[i];
  return node.up && !node.hung && !node.view.empty() && *node.view.begin() == i;
}

// --- transitions ---

void Pacemaker::changed(std::size_t i) {
  for (std::size_t dc = 0; dc < nodes_.size(); ++dc) {
    if (is_dc(dc) && nodes_[dc]->view.contains(i)) plan_soon(dc);
  }
}

void Pacemaker::abort_all() {
  for (std::size_t dc = 0; dc < nodes_.size(); ++dc) {
    if (is_dc(dc)) plan_soon(dc);
  }
}

void Pacemaker::plan_soon(std::size_t dc) {
  Node& node = *nodes_[dc];
  if (node.plan && !std::exchange(node.plan->aborted, true)) ++aborts_;
  if (std::exchange(node.plan_is_due, true)) return;
  world_.after(20 + world_.ms(100), [this, dc] {
    nodes_[dc]->plan_is_due = false;
    if (is_dc(dc)) begin_plan(dc);
  });
}

ClusterState Pacemaker::state_seen_by(std::size_t dc) const {
  ClusterState state;
  const std::set<std::size_t>& view = nodes_[dc]->view;
  state.has_quorum = view.size() * 2 > nodes_.size();
  state.maintenance = maintenance_;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    NodeState seen = node.configured;
    if (node.up && view.contains(i)) {
      seen.databases = node.executor->history();
      seen.address = node.address;
      seen.promotion_score = node.score;
    } else {
      seen.presence = NodeState::Presence::kUnclean;
    }
    state.nodes.push_back(std::move(seen));
  }
  return state;
}

void Pacemaker::begin_plan(std::size_t dc) {
  Node& node = *nodes_[dc];
  if (node.plan && node.plan->running > 0) return;  // its end begins the next
  auto plan = std::make_unique<Plan>();
  plan->number = ++plans_;
  plan->state = state_seen_by(dc);
  plan->transition = schedule(plan->state);
  plan->begun.resize(plan->transition.actions.size());
  plan->ended.resize(plan->transition.actions.size());
  node.plan = std::move(plan);
  if (!node.plan->transition.actions.empty()) ++transitions_;
  go_on(dc);
}

void Pacemaker::go_on(std::size_t dc) {
  Plan* plan = nodes_[dc]->plan.get();
  if (plan == nullptr) return;
  if (plan->aborted) {
    if (plan->running == 0) plan_soon(dc);
    return;
  }
  const std::uint64_t number = plan->number;
  for (std::size_t index = 0; index < plan->begun.size(); ++index) {
    const auto& after = plan->transition.actions[index].after;
    if (plan->begun[index] || !std::all_of(after.begin(), after.end(),
                                           [&](std::size_t other) { return plan->ended[other]; }))
      continue;
    plan->begun[index] = true;
    ++plan->running;
    world_.after(1 + world_.ms(8), [this, dc, number, index] {
      if (nodes_[dc]->plan && nodes_[dc]->plan->number == number) begin_action(dc, index);
    });
  }
}

void Pacemaker::end_action(std::size_t dc, std::uint64_t number, std::size_t index, bool failed) {
  world_.after(1 + world_.ms(8), [this, dc, number, index, failed] {
    Plan* plan = nodes_[dc]->plan.get();
    if (plan == nullptr || plan->number != number || plan->ended[index]) return;
    plan->ended[index] = true;
    --plan->running;
    if (failed && !std::exchange(plan->aborted, true)) ++aborts_;
    go_on(dc);
  });
}

void Pacemaker::begin_action(std::size_t dc, std::size_t index) {
  Plan& plan = *nodes_[dc]->plan;
  const Action& action = plan.transition.actions[index];
  Node& node = *nodes_[action.node];
  const std::uint64_t number = plan.number;
  // One that has left answers nothing; the membership's change begins another plan.
  if (!node.up || (action.node != dc && (node.hung || nodes_[dc]->hung)) ||
      groups_[action.node] != groups_[dc]) {
    return world_.after(kTokenMs * 2,
                        [this, dc, number, index] { end_action(dc, number, index, true); });
  }
  world_.trace(node.configured.name, action.to_string(plan.state));
  if (action.resource == Resource::kAddress)
    return run_address(
        action, [this, dc, number, index](bool failed) { end_action(dc, number, index, failed); });
  if (action.kind == Action::Kind::kCancel) {
    node.executor->cancel_monitor();
    return end_action(dc, number, index, false);
  }
  const bool recurs =
      action.kind == Action::Kind::kRun &&
      (action.operation == Operation::kMonitor || action.operation == Operation::kMonitorPromoted);
  if (recurs) {
    node.executor->monitor(action.operation == Operation::kMonitorPromoted);
    return end_action(dc, number, index, false);
  }
  const bool notifies = action.kind != Action::Kind::kRun;
  if (notifies && world_.chance(faults_.lost_notifications)) {
    return world_.after(20'000,
                        [this, dc, number, index] { end_action(dc, number, index, false); });
  }
  node.executor->run(
      request_of(plan, action), notifies ? std::nullopt : std::optional(action.operation),
      [this, dc, number, index, notifies, at = action.node](Ocf) {
        const Node& where = *nodes_[at];
        end_action(dc, number, index, !notifies && where.executor->history().failure.has_value());
      });
}

void Pacemaker::run_address(const Action& action, std::function<void(bool)> done) {
  Node& node = *nodes_[action.node];
  if (action.kind == Action::Kind::kCancel || action.operation == Operation::kMonitor) {
    node.address.monitored = action.kind == Action::Kind::kRun;
    return done(false);
  }
  world_.after(20 + world_.ms(80), [this, action, done = std::move(done)] {
    Node& there = *nodes_[action.node];
    if (action.operation == Operation::kProbe) {
      if (!there.address.is_active()) there.address.role = History::Role::kStopped;
    } else {
      const bool starts = action.operation == Operation::kStart;
      there.address = {starts ? History::Role::kUnpromoted : History::Role::kStopped};
    }
    done(false);
  });
}

Request Pacemaker::request_of(const Plan& plan, const Action& action) const {
  const auto names = [&](const std::vector<std::size_t>& nodes) {
    Request::Names result;
    for (const std::size_t i : nodes) result.push_back(plan.state.nodes[i].name);
    return result;
  };
  using Of = Request::Action;
  Request request;
  const Transition& t = plan.transition;
  request.active = names(t.active);
  request.inactive = names(t.inactive);
  request.promoted_nodes = names(t.promoted_now);
  request.unpromoted_nodes = names(t.unpromoted_now);
  request.start = names(t.start);
  request.stop = names(t.stop);
  request.promote = names(t.promote);
  request.demote = names(t.demote);
  const auto [name, what, timeout_ms] = [&]() -> std::tuple<const char*, Of, std::int64_t> {
    switch (action.operation) {
      case Operation::kStart:
        return {"start", Of::kStart, 30'000};
      case Operation::kStop:
        return {"stop", Of::kStop, 20'000};
      case Operation::kPromote:
        return {"promote", Of::kPromote, 50'000};
      case Operation::kDemote:
        return {"demote", Of::kDemote, 50'000};
      case Operation::kProbe:
      case Operation::kMonitor:
      case Operation::kMonitorPromoted:
        break;
    }
    return {"monitor", Of::kMonitor, 20'000};
  }();
  request.operation = name;
  request.action = what;
  request.timeout_ms = timeout_ms;
  if (action.kind == Action::Kind::kRun) return request;
  request.action = Of::kNotify;
  request.before = action.kind == Action::Kind::kPreNotify;
  request.timeout_ms = 20'000;
  return request;
}

// --- what is seen from outside ---

const std::string& Pacemaker::name(std::size_t i) const { return nodes_[i]->configured.name; }
bool Pacemaker::is_up(std::size_t i) const { return nodes_[i]->up; }
bool Pacemaker::has_address(std::size_t i) const {
  return nodes_[i]->up && nodes_[i]->address.is_active();
}

std::optional<std::size_t> Pacemaker::promoted() const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->up && nodes_[i]->executor->history().role == History::Role::kPromoted) return i;
  }
  return std::nullopt;
}

}  // namespace tandem::simulation::pacemaker
