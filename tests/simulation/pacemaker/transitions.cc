// How a designated controller plans, carries out and gives up transitions.

#include <algorithm>
#include <tuple>
#include <utility>

#include "tests/simulation/pacemaker/pacemaker_node.h"
#include "tests/simulation/pacemaker/scheduler.h"

namespace tandem::simulation::pacemaker {

namespace {

/// A node's promotion score, in these attributes.
template <class Attributes>
std::optional<Score> score_in(const Attributes& attributes, std::size_t i) {
  const auto scores = attributes.find(kPromotionScore);
  if (scores == attributes.end()) return std::nullopt;
  const auto score = scores->second.find(i);
  return score == scores->second.end() ? std::nullopt : Score::parse(score->second);
}

}  // namespace

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
      seen.promotion_score = score_in(nodes_[dc]->attributes, i);
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

}  // namespace tandem::simulation::pacemaker
