// The values that Pacemaker replicates: transient attributes (attrd), which come and go with their
// node, and properties (the cluster information base), of which the newest version wins when
// partitions meet.

#include <algorithm>
#include <charconv>

#include "tests/simulation/pacemaker/cluster_tools.h"

namespace tandem::simulation::pacemaker {

std::optional<Score> Score::parse(const std::string& text) {
  if (text == "INFINITY") return Score{kInfinity};
  if (text == "-INFINITY") return Score{-kInfinity};
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() ? std::optional(Score{value}) : std::nullopt;
}

std::string Score::to_string() const {
  if (value >= kInfinity) return "INFINITY";
  return is_ban() ? "-INFINITY" : std::to_string(value);
}

/// Writes of one node arrive in order.
void Pacemaker::Tools::set_attribute(const std::string& name, const std::string& value,
                                     const std::string& host) {
  World& world = cluster_.world_;
  const auto named = std::find_if(
      cluster_.nodes_.begin(), cluster_.nodes_.end(),
      [&](const std::unique_ptr<Node>& other) { return other->configured.name == host; });
  if (named == cluster_.nodes_.end()) return;
  const auto of = static_cast<std::size_t>(named - cluster_.nodes_.begin());
  node().last_write_ms =
      std::max(node().last_write_ms, world.now_ms() + 2 + world.ms(world.chance(5) ? 2000 : 60));
  world.at(node().last_write_ms, [this, alive = std::weak_ptr(alive_), name, value, of] {
    if (!alive.expired()) cluster_.write_attribute(i_, name, of, value);
  });
}

ClusterTools::Values Pacemaker::Tools::attribute(const std::string& name) const {
  Values result;
  const auto found = node().attributes.find(name);
  if (found == node().attributes.end()) return result;
  for (const auto& [host, value] : found->second)
    result[cluster_.nodes_[host]->configured.name] = value;
  return result;
}

std::optional<std::string> Pacemaker::Tools::property(const std::string& name) const {
  const auto found = node().properties.find(name);
  return found == node().properties.end() ? std::nullopt : std::optional(found->second);
}

bool Pacemaker::hears(std::size_t i, std::size_t other) const {
  return i == other || (nodes_[i]->up && nodes_[other]->up && !nodes_[i]->hung &&
                        !nodes_[other]->hung && groups_[i] == groups_[other]);
}

void Pacemaker::write_attribute(std::size_t i, const std::string& name, std::size_t host,
                                const std::string& value) {
  Node& from = *nodes_[i];
  const auto write = [this, i, name, host, value] { write_attribute(i, name, host, value); };
  if (from.hung || from.rejoins) return from.unsent.push_back(write);
  for (std::size_t at = 0; at < nodes_.size(); ++at) {
    Node& to = *nodes_[at];
    if (!to.up || (at != i && !from.view.contains(at) && !to.view.contains(i))) continue;
    if (groups_[at] != groups_[i]) continue;
    if (to.hung) {
      to.unread.push_back(
          [this, at, name, host, value] { store_attribute(at, name, host, value); });
    } else {
      store_attribute(at, name, host, value);
    }
  }
}

/// The DC plans anew when a score has changed.
void Pacemaker::store_attribute(std::size_t at, const std::string& name, std::size_t host,
                                const std::string& value) {
  std::string& stored = nodes_[at]->attributes[name][host];
  if (stored == value) return;
  stored = value;
  if (name == kPromotionScore && is_dc(at) && nodes_[at]->view.contains(host)) plan_soon(at);
}

bool Pacemaker::write_property(std::size_t i, const std::string& name, const std::string& value) {
  Node& from = *nodes_[i];
  if (from.hung) return false;
  from.properties[name] = value;
  ++from.properties_version;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other == i || !sees(i, other)) continue;
    nodes_[other]->properties = from.properties;
    nodes_[other]->properties_version = from.properties_version;
  }
  return true;
}

void Pacemaker::forget_host(Node& node, std::size_t host) {
  for (auto& [name, values] : node.attributes) values.erase(host);
}

/// Of a node that has joined.
void Pacemaker::take_over_from(Node& node, std::size_t other) {
  const Node& from = *nodes_[other];
  for (const auto& [name, values] : from.attributes) {
    const auto found = values.find(other);
    if (found != values.end()) node.attributes[name][other] = found->second;
  }
  if (from.properties_version <= node.properties_version) return;
  node.properties = from.properties;
  node.properties_version = from.properties_version;
}

std::size_t Pacemaker::attribute_names(std::size_t i) const { return nodes_[i]->attributes.size(); }

std::size_t Pacemaker::properties(std::size_t i) const { return nodes_[i]->properties.size(); }

}  // namespace tandem::simulation::pacemaker
