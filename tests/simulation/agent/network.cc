#include "tests/simulation/agent/network.h"

#include "tests/simulation/agent/host.h"

namespace tandem::simulation {

Node* Network::reach(std::size_t from, agent::Which which, const std::string& remote) const {
  const std::size_t begin = remote.find(':') + 1;
  const std::string address = remote.substr(begin, remote.rfind(':') - begin);
  for (const std::unique_ptr<Host>& host : hosts_) {
    const bool is_there =
        address == address_of(host->index) || (address == kMovingAddress && host->has_address());
    if (!is_there || !host->is_up || !connects(from, host->index)) continue;
    Node& node = host->servers[which]->node();
    if (host->servers[which]->answers() && node.process->role.is_listening()) return &node;
  }
  return nullptr;
}

/// Connections between groups break; each end finds out in its own time.
void Network::partition(std::vector<int> groups) {
  groups_ = std::move(groups);
  for (const std::unique_ptr<Host>& host : hosts_) {
    for (const agent::Which which : agent::kBoth) {
      Node& node = host->servers[which]->node();
      if (!node.is_up()) continue;
      const std::shared_ptr<Wire> wire = node.process->wire();
      if (!wire) continue;
      for (const std::unique_ptr<Host>& other : hosts_) {
        if (connects(host->index, other->index) || !other->servers[which]->node().is_up()) continue;
        for (const auto& served : other->servers[which]->node().process->served) {
          if (served.lock() != wire) continue;
          wire->lose(true);
          wire->lose(false);
        }
      }
    }
  }
}

}  // namespace tandem::simulation
