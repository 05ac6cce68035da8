#include "tests/simulation/manager.h"

#include <algorithm>

namespace tandem::simulation {

std::vector<Node*> Manager::electable() const {
  std::vector<Node*> result;
  for (const auto& node : nodes_) {
    if (!node->is_up() || node->is_plain() || node->is_damaged()) continue;
    // It would answer that it is busy.
    if (node->hanging.hangs() && !scenario_.manager_errs) continue;
    result.push_back(node.get());
  }
  return result;
}

Copies Manager::copies_of(Node& node) const {
  Copies copies;
  for (const std::string& database : scenario_.databases)
    copies.push_back(node.position(database).copy());
  return copies;
}

void Manager::elect() {
  std::vector<Node*> candidates = electable();
  if (candidates.empty()) return;
  const std::size_t all = nodes_.size() - (scenario_.plain ? 1 : 0);
  const std::size_t missing = all - candidates.size();
  const auto damaged = static_cast<std::size_t>(std::count_if(
      nodes_.begin(), nodes_.end(), [](const auto& node) { return node->is_damaged(); }));
  if (scenario_.manager_errs && !settled_)
    return make_active(*candidates[world_.random(candidates.size())]);
  if (scenario_.is_strict() && missing > scenario_.gate.replicas) return;
  // Whoever is as good as the others may be chosen.
  std::rotate(candidates.begin(),
              candidates.begin() + static_cast<std::ptrdiff_t>(world_.random(candidates.size())),
              candidates.end());
  for (Node* node : candidates) node->process->stop_following();
  std::vector<Copies> copies;
  for (Node* node : candidates) copies.push_back(copies_of(*node));
  const Choice best = *choose(copies);
  if (best.has_everything) return make_active(*candidates[best.index]);
  // Those that are gone may come back with it.
  if (missing > damaged && scenario_.is_strict()) return;
  // Without power failures the gate's backup has everything. With them the one whose power stayed
  // may be ahead in what was not durable of one database, and behind in the other.
  if (scenario_.is_strict() && !scenario_.power_fails && !promotion_failed_ && damaged == 0)
    complaint_ = "no copy has everything that was acknowledged";
  had_to_choose_ = true;
  make_active(*candidates[best.index]);
}

/// One that obeys knows the epochs of all its promotions, though a copy may not have heard of some.
bool Manager::promote(Node& node) {
  world_.trace(node.name, "is promoted");
  const auto done = std::make_shared<bool>(false);
  node.process->role.promote(
      {.force = true, .above = scenario_.manager_errs ? Epoch{} : last_epoch_},
      [done](const Result<std::string>& result) { *done = !!result; });
  for (const std::string& database : scenario_.databases)
    last_epoch_ = std::max(last_epoch_, node.position(database).epoch);
  if (*done) return true;
  world_.trace(node.name, "cannot be promoted");
  promotion_failed_ = true;
  // Its disk hangs: nobody waits for that.
  if (node.process->role.state() == RoleState::kPromoting) node.process->role.demote(nullptr);
  return false;
}

void Manager::make_active(Node& node) {
  if (!promote(node)) {
    world_.after(500, [this] { look(); });
    return;
  }
  active_ = &node;
  point_all();
}

void Manager::point_all() {
  for (const auto& node : nodes_) {
    if (node->is_up() && node.get() != active_) point(*node);
  }
}

void Manager::point(Node& node) {
  Node* source = active_;
  if (scenario_.cascades && !settled_ && world_.chance(30)) {
    Node* other = nodes_[world_.random(nodes_.size())].get();
    if (other != &node) source = other;
  }
  node.process->role.demote(source);
}

/// Its status tells what its backups have. Whoever is promoted has at least the best one's share of
/// the first database, but of others perhaps no more than the worst.
void Manager::note_unreplicated(Node& node) {
  for (const std::string& database : scenario_.databases) {
    std::vector<FeedStatus> followers =
        node.process->look([&] { return node.process->database(database).gate.followers(); });
    std::erase_if(followers, [](const FeedStatus& follower) { return follower.doubted; });
    std::uint64_t best = 0;
    std::uint64_t worst = followers.size() + 1 < nodes_.size() ? 0 : UINT64_MAX;
    for (const FeedStatus& follower : followers) {
      best = std::max(best, follower.acknowledged.index);
      worst = std::min(worst, follower.acknowledged.index);
    }
    const std::uint64_t replicated = database == scenario_.databases.front() ? best : worst;
    for (auto& [number, write] : ledger_.databases[database])
      write.shown = write.shown || write.index == 0 || write.index > replicated;
  }
}

void Manager::before_loss(Node& node) {
  if (node.is_active()) note_unreplicated(node);
  if (&node == active_) active_ = nullptr;
}

void Manager::look() {
  if (switching_) return;
  if (active_ == nullptr) return elect();
  for (const auto& node : nodes_) {
    if (node->is_up() && node.get() != active_ && !node->is_active() && !node->process->follows())
      point(*node);
  }
}

void Manager::switch_over() {
  if (active_ == nullptr || switching_) return;
  switching_ = true;
  world_.trace(active_->name, "is demoted");
  note_unreplicated(*active_);
  active_->process->role.demote(nullptr);
  active_ = nullptr;
  // Not before what the server publishes as a backup has reached its readers: they would be taken
  // for readers of an active.
  world_.after(5 + world_.ms(600), [this] {
    switching_ = false;
    elect();
  });
}

void Manager::err() {
  const std::vector<Node*> candidates = electable();
  if (active_ == nullptr || switching_ || candidates.empty()) return;
  Node* usurper = candidates[world_.random(candidates.size())];
  if (usurper == active_) return;
  if (!promote(*usurper)) return usurper->process->role.demote(active_);
  for (const auto& node : nodes_) {
    if (!node->is_up() || node.get() == active_ || node.get() == usurper) continue;
    node->process->role.demote(world_.chance(50) ? usurper : active_);
  }
  world_.after(world_.ms(2500), [this, usurper] {
    if (switching_ || active_ == nullptr || !usurper->is_up() || !usurper->is_active()) return;
    if (world_.chance(50)) active_ = usurper;
    for (const auto& node : nodes_) {
      if (node->is_up() && node.get() != active_ && node->is_active()) note_unreplicated(*node);
    }
    point_all();
  });
}

void Manager::settle() {
  settled_ = true;
  switching_ = false;
  std::size_t actives = 0;
  for (const auto& node : nodes_) actives += node->is_active() ? 1 : 0;
  if (active_ == nullptr || actives != 1 || !active_->is_active()) {
    for (const auto& node : nodes_) node->process->role.demote(nullptr);
    active_ = nullptr;
    elect();
  } else {
    point_all();
  }
}

}  // namespace tandem::simulation
