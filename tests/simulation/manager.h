#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/node.h"

namespace tandem::simulation {

using Nodes = std::vector<std::unique_ptr<Node>>;

/// The cluster manager: sees who is up, says who is active and whom the others follow. One that
/// obeys promotes the most advanced copy, and only when a copy that has everything acknowledged
/// must be among those that it sees; one that errs promotes anybody, and sometimes two.
class Manager {
 public:
  Manager(World& world, const Scenario& scenario, Nodes& nodes, Ledger& ledger)
      : world_(world), scenario_(scenario), nodes_(nodes), ledger_(ledger) {}

  void begin() { make_active(*nodes_[0]); }
  /// The server of that node is about to be killed.
  void before_loss(Node& node);
  /// Somebody died or came back.
  void look();
  /// Moves the role to another node.
  void switch_over();
  /// Promotes somebody although there is an active server, and notices later.
  void err();
  /// From now on it makes no mistakes, and nobody follows but the active.
  void settle();

  Node* active() const { return active_; }
  /// What an obedient manager could not do although all were up; empty: nothing.
  const std::string& complaint() const { return complaint_; }
  /// No copy had the most of each database, so the first one decided.
  bool had_to_choose() const { return had_to_choose_; }

 private:
  std::vector<Node*> electable() const;
  Copies copies_of(Node& node) const;
  void elect();
  void make_active(Node& node);
  bool promote(Node& node);
  void point_all();
  void point(Node& node);
  void note_unreplicated(Node& node);

  World& world_;
  const Scenario& scenario_;
  Nodes& nodes_;
  Ledger& ledger_;
  Node* active_ = nullptr;
  Epoch last_epoch_{};  // of its promotions
  bool switching_ = false;
  bool settled_ = false;
  bool had_to_choose_ = false;
  bool promotion_failed_ = false;  // of one database, after that of another
  std::string complaint_;
};

}  // namespace tandem::simulation
