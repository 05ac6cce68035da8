#include "tests/simulation/pacemaker/pacemaker.h"

#include "tests/simulation/pacemaker/pacemaker_node.h"

namespace tandem::simulation::pacemaker {

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

std::optional<std::size_t> Pacemaker::promoted() const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->up && nodes_[i]->executor->history().role == History::Role::kPromoted) return i;
  }
  return std::nullopt;
}

}  // namespace tandem::simulation::pacemaker
