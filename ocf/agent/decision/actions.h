#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "ocf/agent/decision/cluster.h"
#include "ocf/agent/decision/desk.h"
#include "ocf/agent/decision/election.h"
#include "ocf/agent/decision/servers.h"
#include "ocf/agent/decision/tenure.h"

namespace tandem::agent {

/// Tasks that run at the same time.
template <class... Tasks>
std::vector<Task<>> list(Tasks&&... tasks) {
  std::vector<Task<>> all;
  (all.push_back(std::forward<Tasks>(tasks)), ...);
  return all;
}

/// The actions of the resource, each as what is done one after the other. Lives as long as the
/// Machine.
class Actions {
 public:
  Actions(Desk& desk, std::uint64_t seed)
      : desk_(desk),
        servers_(desk),
        cluster_(desk),
        election_(desk, servers_, cluster_, seed),
        tenure_(desk, servers_, cluster_, election_) {}

  /// Does the action of the order.
  Task<> run();

 private:
  Task<> start();
  Task<> stop();
  Task<> promote();
  Task<> begin_as_active();
  Task<> demote();
  Task<bool> step_down();
  Task<> end_tenure();
  Task<> monitor();
  Task<bool> is_published();
  Task<> adopt();
  Task<std::string> objection_to_adoption();
  Task<> monitor_active();
  Task<> doubt(Tenure::Right right);
  Task<> tend_active();
  Task<> monitor_backup();
  Task<> notify();
  Task<> notify_before();
  Task<> stop_northd();
  Task<> serve();
  Task<> serve_one(Which which);
  Task<> follow();
  Task<> reload();
  Task<bool> follows(std::string active);

  Exit seen() const;
  bool is_restarted() const;

  Desk& desk_;
  Servers servers_;
  Cluster cluster_;
  Election election_;
  Tenure tenure_;
};

/// Pacemaker, and clients with it, wait for the end of this action, which changes nothing that they
/// wait for: it can be answered before anything is done.
bool is_answered_at_once(const Order& order);

}  // namespace tandem::agent
