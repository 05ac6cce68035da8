#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ocf/agent/decision/settings.h"
#include "tests/simulation/node.h"

namespace tandem::simulation {

struct Host;

/// The network that servers and their clients use; corosync has its own. Addresses are those of
/// hosts, or the one that Pacemaker moves.
class Network {
 public:
  static constexpr const char* kMovingAddress = "10.0.0.100";
  static std::string address_of(std::size_t host) { return "10.0.0." + std::to_string(host + 1); }

  explicit Network(std::vector<std::unique_ptr<Host>>& hosts) : hosts_(hosts) {}

  /// The server that answers at a remote such as tcp:10.0.0.1:6641; null: nobody.
  Node* reach(std::size_t from, agent::Which which, const std::string& remote) const;
  /// Hosts reach each other if they are of the same group.
  void partition(std::vector<int> groups);
  void heal() { groups_.clear(); }
  bool connects(std::size_t one, std::size_t other) const {
    return groups_.empty() || groups_[one] == groups_[other];
  }

 private:
  std::vector<std::unique_ptr<Host>>& hosts_;
  std::vector<int> groups_;
};

}  // namespace tandem::simulation
