#include "server/control/server_status.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/control/trouble.h"

namespace tandem::control {

namespace {

/// In words; empty if there is none.
template <class Which>
std::string first_of(const ServerStatus& status, Which&& which) {
  const std::vector<Trouble> troubles = troubles_of(status);
  const auto found = std::find_if(troubles.begin(), troubles.end(), which);
  return found == troubles.end() ? "" : found->to_string();
}

std::string unsynced_backup(const DatabaseStatus& database) {
  if (!database.follower) return "follows nobody";
  const FollowerStatus& follower = *database.follower;
  if (follower.state != FollowerStatus::State::kReplicating)
    return std::string(to_string(follower.state));
  if (follower.lag_records() > 0) return fmt::format("{} records behind", follower.lag_records());
  return "";
}

std::string unsynced_active(const DatabaseStatus& database, unsigned replicas) {
  unsigned backups = 0;
  for (const FeedStatus& follower : database.entry.followers) {
    if (follower.doubted) continue;
    if (follower.acknowledged != database.entry.position) {
      if (follower.acknowledged == Position{})
        return follower.peer_name() + " has acknowledged nothing yet";
      return fmt::format("{} is at {}, not {}", follower.peer_name(),
                         follower.acknowledged.height().to_string(),
                         database.entry.position.height().to_string());
    }
    ++backups;
  }
  if (backups < replicas) return fmt::format("{} of {} backups", backups, replicas);
  return "";
}

}  // namespace

std::size_t ServerStatus::clients() const {
  std::size_t count = 0;
  for (const net::RemoteStatus& remote : remotes) count += remote.connections;
  return count;
}

bool ServerStatus::writable(const DatabaseStatus& database) const {
  // What is written to a relay goes to its source.
  if (database.relay)
    return database.follower && database.follower->state == FollowerStatus::State::kReplicating &&
           !database.follower->source_is_read_only;
  return !database.backup && database.health.can_write() &&
         lease.state(now_ms) != Lease::State::kExpired;
}

std::string ServerStatus::disk_fault() const {
  return first_of(*this, [](const Trouble& trouble) { return trouble.stops_writing(); });
}

std::string ServerStatus::damage() const {
  return first_of(*this,
                  [](const Trouble& trouble) { return trouble.kind == Trouble::Kind::kDamage; });
}

std::string ServerStatus::unsynced(const DatabaseStatus& database) const {
  const std::string what =
      database.is_copy() ? unsynced_backup(database) : unsynced_active(database, sync.replicas);
  return what.empty() ? "" : database.name + ": " + what;
}

bool ServerStatus::is_synced() const {
  return std::all_of(databases.begin(), databases.end(),
                     [this](const DatabaseStatus& database) { return unsynced(database).empty(); });
}

}  // namespace tandem::control
