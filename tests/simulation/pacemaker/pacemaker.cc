#include "tests/simulation/pacemaker/pacemaker.h"

#include <utility>

#include "tests/simulation/pacemaker/cluster_tools.h"
#include "tests/simulation/pacemaker/pacemaker_node.h"

namespace tandem::simulation::pacemaker {

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
  ++node.boots;
  node.hung = node.rejoins = node.attrd_is_silent = false;
  node.attributes.clear();
  node.unsent.clear();
  node.unread.clear();
  node.address = {};
  node.tools = std::make_unique<Tools>(*this, i);
  node.agent = factory_(i, *node.tools);
  node.executor =
      std::make_unique<Executor>(world_, *node.agent, faults_, [this, i] { changed(i); });
  node.view = {i};
  node.joined = {{i, node.boots}};
  world_.trace(node.configured.name, "boots");
  change_views();
}

void Pacemaker::crash(std::size_t i) {
  Node& node = *nodes_[i];
  if (!node.up) return;
  world_.trace(node.configured.name, "crashes");
  longest_ms_ = std::max(longest_ms_, node.executor->longest_ms());
  killed_ += node.executor->killed();
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

/// One that goes on may find itself alone at first, or among the others at once. In each case what
/// the others have written meanwhile comes to it.
void Pacemaker::set_hung(std::size_t i, bool hung) {
  Node& node = *nodes_[i];
  if (!node.up || node.hung == hung) return;
  world_.trace(node.configured.name, hung ? "corosync hangs" : "corosync goes on");
  node.hung = hung;
  if (hung) {
    node.hung_since_ms = world_.now_ms();
    return change_views();
  }
  const bool was_missed = world_.now_ms() - node.hung_since_ms > kTokenMs;
  for (const auto& write : std::exchange(node.unread, {})) {
    if (!was_missed) write();
  }
  node.rejoins = was_missed;
  if (was_missed && world_.chance(50)) {
    take_view(i, {i});
  } else if (was_missed) {
    std::erase_if(node.joined, [i](const auto& entry) { return entry.first != i; });
  } else {
    for (const auto& write : std::exchange(node.unsent, {})) write();
  }
  change_views();
}

void Pacemaker::set_attrd_silent(std::size_t i, bool silent) {
  if (nodes_[i]->up) world_.trace(name(i), silent ? "attrd is silent" : "attrd answers");
  nodes_[i]->attrd_is_silent = silent;
}

void Pacemaker::restart(std::size_t i, bool remembers) {
  Node& node = *nodes_[i];
  if (!node.up) return;
  world_.trace(node.configured.name, "Pacemaker is restarted");
  node.executor->forget();
  node.address.role = History::Role::kUnknown;
  node.plan.reset();
  if (!remembers) {
    for (const auto& other : nodes_) forget_host(*other, i);
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
  Node& node = *nodes_[i];
  std::map<std::size_t, std::uint64_t> joined;
  for (const std::size_t other : view) joined[other] = nodes_[other]->boots;
  if (std::exchange(node.rejoins, false)) {
    for (const auto& write : std::exchange(node.unsent, {})) world_.after(1, write);
  }
  if (node.view == view && node.joined == joined) return;
  std::set<std::size_t> lost;
  for (const std::size_t other : node.view) {
    if (other != i && node.joined[other] != joined[other]) lost.insert(other);
  }
  std::set<std::size_t> come;
  for (const auto& [other, boot] : joined) {
    if (other != i && node.joined[other] != boot) come.insert(other);
  }
  node.view = view;
  node.joined = joined;
  for (const std::size_t other : lost) forget_host(node, other);
  for (const std::size_t other : come) take_over_from(node, other);
  if (!is_dc(i)) node.plan.reset();  // what it began ends where it runs
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (!view.contains(other)) give_up_actions(i, other);
  }
  fence(i, lost);
  changed(i);
}

void Pacemaker::fence(std::size_t i, const std::set<std::size_t>& lost) {
  if (!fence_ || !is_dc(i) || nodes_[i]->view.size() * 2 <= nodes_.size()) return;
  for (const std::size_t other : lost) {
    if (!nodes_[i]->view.contains(other) && nodes_[other]->up) fence_(other);
  }
}

/// Actions that the DC had begun on a node that is gone are taken for failed.
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

// --- what is seen from outside ---

const std::string& Pacemaker::name(std::size_t i) const { return nodes_[i]->configured.name; }
bool Pacemaker::is_up(std::size_t i) const { return nodes_[i]->up; }
bool Pacemaker::has_address(std::size_t i) const {
  return nodes_[i]->up && nodes_[i]->address.is_active();
}

const History& Pacemaker::history(std::size_t i) const {
  static const History kNone{};
  return nodes_[i]->up ? nodes_[i]->executor->history() : kNone;
}

bool Pacemaker::sees(std::size_t i, std::size_t other) const {
  return hears(i, other) && nodes_[i]->view.contains(other) && nodes_[other]->view.contains(i);
}

std::size_t Pacemaker::killed() const {
  std::size_t count = killed_;
  for (const auto& node : nodes_) count += node->executor ? node->executor->killed() : 0;
  return count;
}

std::optional<std::size_t> Pacemaker::promoted() const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->up && nodes_[i]->executor->history().role == History::Role::kPromoted) return i;
  }
  return std::nullopt;
}

}  // namespace tandem::simulation::pacemaker
