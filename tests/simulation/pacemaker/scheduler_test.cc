#include "tests/simulation/pacemaker/scheduler.h"

#include <catch2/catch.hpp>

namespace tandem::simulation::pacemaker {
namespace {

using Role = History::Role;

NodeState node(std::string name, Role role, std::optional<int> score = {}) {
  NodeState result;
  result.name = std::move(name);
  result.databases = {role, role != Role::kStopped};
  result.address = {role == Role::kPromoted ? Role::kUnpromoted : Role::kStopped,
                    role == Role::kPromoted};
  if (score) result.promotion_score = Score{*score};
  return result;
}

std::string promoted(const ClusterState& state) {
  const Transition transition = schedule(state);
  return transition.promoted ? state.nodes[*transition.promoted].name : "none";
}

/// The actions in an order in which they may run.
std::vector<std::string> plan(const ClusterState& state) {
  std::vector<std::string> result;
  for (const Action& action : schedule(state).actions) result.push_back(action.to_string(state));
  return result;
}

std::size_t at(const std::vector<std::string>& plan, const std::string& action) {
  const auto found = std::find(plan.begin(), plan.end(), action);
  CHECK(found != plan.end());
  return static_cast<std::size_t>(found - plan.begin());
}

TEST_CASE("the highest promotion score is promoted") {
  CHECK(promoted({{node("a", Role::kUnpromoted, 50), node("b", Role::kUnpromoted, 100)}}) == "b");
}

TEST_CASE("no score is no candidate without a preference") {
  CHECK(promoted({{node("a", Role::kUnpromoted), node("b", Role::kUnpromoted)}}) == "none");
  ClusterState state{{node("a", Role::kUnpromoted), node("b", Role::kUnpromoted)}};
  state.nodes[1].promoted_preference = {500};
  CHECK(promoted(state) == "b");
}

TEST_CASE("among equals the promoted one stays") {
  CHECK(promoted({{node("a", Role::kUnpromoted, 100), node("b", Role::kPromoted, 100)}}) == "b");
}

TEST_CASE("a forgotten move demotes the active for a node that has just come back") {
  ClusterState state{{node("a", Role::kPromoted, 1000), node("b", Role::kStopped),
                      node("c", Role::kUnpromoted, 100)}};
  state.nodes[1].promoted_preference = {Score::kInfinity};
  const auto actions = plan(state);
  CHECK(promoted(state) == "b");
  CHECK(at(actions, "vip_stop_0@a") < at(actions, "ovn_demote_0@a"));
  CHECK(at(actions, "ovn_demote_0@a") < at(actions, "ovn_start_0@b"));
  CHECK(at(actions, "ovn_start_0@b") < at(actions, "ovn_pre_notify_promote_0@c"));
  CHECK(at(actions, "ovn_pre_notify_promote_0@c") < at(actions, "ovn_promote_0@b"));
}

TEST_CASE("a preference of 500 beats a refusal by score") {
  ClusterState state{{node("a", Role::kUnpromoted, 10), node("b", Role::kUnpromoted, 200)}};
  state.nodes[0].promoted_preference = {500};
  CHECK(promoted(state) == "a");
}

TEST_CASE("a preference promotes a node that was cut off and has no score") {
  ClusterState state{{node("a", Role::kUnpromoted), node("b", Role::kUnpromoted, 200)}};
  state.nodes[0].promoted_preference = {500};
  CHECK(promoted(state) == "a");
}

TEST_CASE("a score of -INFINITY withstands every preference") {
  ClusterState state{
      {node("a", Role::kUnpromoted, -Score::kInfinity), node("b", Role::kUnpromoted, 100)}};
  state.nodes[0].promoted_preference = {Score::kInfinity};
  state.nodes[0].address_preference = {Score::kInfinity};
  CHECK(promoted(state) == "b");
}

TEST_CASE("the address's preferences count for the promoted role, twice") {
  ClusterState state{{node("a", Role::kUnpromoted, 100), node("b", Role::kUnpromoted, 50)}};
  state.nodes[1].address_preference = {24};
  CHECK(promoted(state) == "a");
  state.nodes[1].address_preference = {26};
  CHECK(promoted(state) == "b");
}

TEST_CASE("the role moves in one step from the stock agent's score to ours") {
  CHECK(promoted({{node("stock", Role::kPromoted, 10), node("ours", Role::kUnpromoted, 50)}}) ==
        "ours");
  CHECK(promoted({{node("stock", Role::kPromoted, 10), node("ours", Role::kUnpromoted, 4)}}) ==
        "stock");
}

TEST_CASE("a score that a stopped node kept restarts a backup that has less") {
  ClusterState state{{node("a", Role::kUnpromoted, 10), node("b", Role::kStopped, 50)}};
  const auto actions = plan(state);
  CHECK(at(actions, "ovn_stop_0@a") < at(actions, "ovn_start_0@a"));
}

TEST_CASE("an active that is not seen is promoted elsewhere without a demotion") {
  ClusterState state{{node("a", Role::kPromoted, 1000), node("b", Role::kUnpromoted, 100)}};
  state.nodes[0].presence = NodeState::Presence::kUnclean;
  const auto actions = plan(state);
  CHECK(promoted(state) == "b");
  CHECK(std::find(actions.begin(), actions.end(), "ovn_demote_0@a") == actions.end());
}

TEST_CASE("all is stopped without quorum, and nothing in maintenance") {
  ClusterState state{{node("a", Role::kPromoted, 1000), node("b", Role::kUnpromoted, 100)}};
  state.has_quorum = false;
  CHECK(at(plan(state), "ovn_demote_0@a") < at(plan(state), "ovn_stop_0@a"));
  state.maintenance = true;
  for (const Action& action : schedule(state).actions) CHECK(action.kind == Action::Kind::kCancel);
}

TEST_CASE("a failed monitor of the active restarts it where it was") {
  ClusterState state{{node("a", Role::kPromoted, 1000), node("b", Role::kUnpromoted, 100)}};
  state.nodes[0].databases.failure = Failure{Operation::kMonitorPromoted, Ocf::kNotRunning};
  CHECK(at(plan(state), "ovn_stop_0@a") < at(plan(state), "ovn_promote_0@a"));
  state.migration_threshold = {3};
  state.nodes[0].databases.fail_count = {3};
  CHECK(promoted(state) == "b");
}

}  // namespace
}  // namespace tandem::simulation::pacemaker
