#include "tests/simulation/agent/promises.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::simulation {
namespace {

/// Between a look at the others and the grant that follows from it.
constexpr std::int64_t kGrantMs = 5'000;

Epoch epoch_of(SimulatedServer& server) { return server.node().process->role.epoch(); }

}  // namespace

void Promises::broken(const std::string& promise) {
  world_.trace("BROKEN", promise);
  if (broken_.size() < 10) broken_.push_back(fmt::format("at {}: {}", world_.now_ms(), promise));
}

std::size_t Promises::acknowledged() const {
  return writes_[agent::Which::kNb].size() + writes_[agent::Which::kSb].size();
}

// --- two that write ---

void Promises::look() {
  for (const agent::Which which : agent::kBoth) {
    for (const auto& host : hosts_) static_cast<void>(host->servers[which]->is_damaged());
    auto& since = replaced_since_[which];
    std::optional<Epoch> newest;
    for (const auto& host : hosts_) {
      if (!host->servers[which]->is_writable()) continue;
      newest = std::max(newest, std::optional(epoch_of(*host->servers[which])));
    }
    for (const auto& host : hosts_) {
      SimulatedServer& server = *host->servers[which];
      if (!server.is_writable() || epoch_of(server) == *newest) {
        since.erase(host->index);
        continue;
      }
      const std::int64_t begin = since.try_emplace(host->index, world_.now_ms()).first->second;
      if (world_.now_ms() - begin <= scenario_.lease_ms() + kGrantMs) continue;
      broken(fmt::format("{} of {} writes for longer than its lease after its place was taken",
                         agent::name_of(which), host->name));
      since[host->index] = INT64_MAX / 2;
    }
  }
}

// --- writes ---

void Promises::acknowledged(Host& host, agent::Which which, std::int64_t number, bool durable) {
  Node& node = host.servers[which]->node();
  ServedDatabase& database = node.process->database(host.servers[which]->database());
  const std::uint64_t newest = database.stored->position().index;
  unsigned have = 0;
  for (const FeedStatus& follower : database.gate.followers())
    have += follower.acknowledged.index >= newest ? 1 : 0;
  Write& write = writes_[which][number];
  write.durable = durable;
  // The active of a part without quorum goes on until it notices.
  const Epoch epoch = database.stored->position().epoch;
  write.excused = epoch < last_[which].epoch && last_[which].many_missing;
  write.kept = have >= database.gate.options().replicas && (durable || !scenario_.power_fails);
}

bool Promises::takes_part(const Host& host, const Host& promoted) const {
  if (host.index == promoted.index) return true;
  return host.is_up && host.disturbed_until_ms < world_.now_ms() &&
         pacemaker_.sees(host.index, promoted.index) &&
         !host.servers[agent::Which::kNb]->is_damaged() &&
         !host.servers[agent::Which::kSb]->is_damaged() &&
         pacemaker_.history(host.index).is_active() && host.servers[agent::Which::kNb]->answers() &&
         host.servers[agent::Which::kSb]->answers();
}

bool Promises::has_parted(const Host& host, const Host& promoted, agent::Which which) const {
  const agent::Which other = which == agent::Which::kNb ? agent::Which::kSb : agent::Which::kNb;
  SimulatedServer& theirs = *host.servers[other];
  SimulatedServer& ours = *promoted.servers[other];
  if (!theirs.node().is_up() || !ours.node().is_up()) return false;
  return compare(theirs.node().position(theirs.database()).copy(),
                 ours.node().position(ours.database()).copy()) == CopyOrder::kBehind;
}

void Promises::promoted(const Host& host, agent::Which which) {
  ++promotions_;
  if (which == agent::Which::kNb && last_promoted_ != host.index) {
    if (last_promoted_) ++moves_;
    last_promoted_ = host.index;
  }
  if (host.servers[which]->is_damaged())
    broken(fmt::format("{} is promoted with a damaged file of {}", host.name,
                       host.servers[which]->database()));
  const std::string& database = host.servers[which]->database();
  world_.trace(host.name, agent::name_of(which) + " is promoted, at " +
                              host.servers[which]->node().position(database).to_string());
  const Contents held = host.servers[which]->node().contents(database);
  std::vector<Contents> others;
  std::size_t missing = 0;
  for (const auto& other : hosts_) {
    if (other->index == host.index) continue;
    if (!takes_part(*other, host)) {
      ++missing;
    } else if (!has_parted(*other, host, which)) {
      others.push_back(other->servers[which]->node().contents(database));
    }
  }
  const auto replicas = static_cast<std::size_t>(scenario_.settings.sync_replicas);
  last_[which] = {epoch_of(*host.servers[which]), missing > replicas};
  for (auto& [number, write] : writes_[which]) {
    if (!write.kept || write.excused || held.contains(number)) continue;
    const bool is_there = std::any_of(others.begin(), others.end(),
                                      [n = number](const Contents& c) { return c.contains(n); });
    if (is_there) {
      broken(fmt::format("{} is promoted without write {} of {}, which another copy has", host.name,
                         number, database));
    } else if (missing <= replicas && others.size() + missing + 1 == hosts_.size()) {
      broken(fmt::format("{} is promoted, and nobody has write {} of {}, which was acknowledged",
                         host.name, number, database));
    }
    write.excused = true;
  }
}

void Promises::check_end(agent::Which which, const Contents& held) {
  const std::string database = agent::database_of(which);
  for (const auto& [number, write] : writes_[which]) {
    if (held.contains(number)) continue;
    const std::string what =
        fmt::format("{}write {} of {}", write.durable ? "durable " : "", number, database);
    if (write.kept && !write.excused) {
      broken(what + " is lost, though backups had it");
      continue;
    }
    // Nobody was promised that it would survive a power failure, or damage of the only copy.
    if ((scenario_.power_fails && !write.durable) || any_damaged_) continue;
    const bool is_set_aside =
        std::any_of(hosts_.begin(), hosts_.end(), [&, n = number](const auto& h) {
          return h->servers[which]->node().has_set_aside(database, n);
        });
    if (!is_set_aside) broken(what + " is lost without a trace");
  }
}

}  // namespace tandem::simulation
