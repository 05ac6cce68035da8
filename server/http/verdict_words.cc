#include "server/http/verdict_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "server/control/concern.h"
#include "server/control/human_text.h"

namespace tandem::http {

namespace {

using control::DatabaseStatus;
using control::ServerStatus;
using Databases = std::vector<const DatabaseStatus*>;

/// Databases that are named; there may be more.
constexpr std::size_t kMostNames = 4;

/// "A, B and C"
std::string names_of(const Databases& databases) {
  std::string names;
  const std::size_t shown = std::min(databases.size(), kMostNames);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == databases.size();
    if (i > 0) names += last ? " and " : ", ";
    names += databases[i]->name;
  }
  if (databases.size() > shown) names += fmt::format(" and {} more", databases.size() - shown);
  return names;
}

/// Connections that may be one copy count as one.
std::size_t copies_of(const DatabaseStatus& database, bool in_sync) {
  return static_cast<std::size_t>(std::count_if(
      database.entry.followers.begin(), database.entry.followers.end(),
      [in_sync](const FeedStatus& feed) { return !feed.doubted && (feed.in_sync || !in_sync); }));
}

std::string backups(std::size_t count) {
  return fmt::format("{} backup{}", control::number_text(count), count == 1 ? "" : "s");
}

/// The same for all databases, or of the one that is worst off.
std::string backups_words(const Databases& databases) {
  const DatabaseStatus& worst = **std::min_element(
      databases.begin(), databases.end(), [](const DatabaseStatus* a, const DatabaseStatus* b) {
        return copies_of(*a, true) < copies_of(*b, true);
      });
  const std::size_t all = copies_of(worst, false);
  const std::size_t in_sync = copies_of(worst, true);
  const std::size_t wanted = worst.entry.gate.replicas;
  if (all == 0 && wanted > 0)
    return fmt::format("no backup follows, {} wanted",
                       wanted == 1 ? "one is" : control::number_text(wanted) + " are");
  if (all == 0) return "no backup follows";
  if (in_sync == all) return backups(in_sync) + " in sync";
  return fmt::format("{} of {} in sync", in_sync == 0 ? "none" : control::number_text(in_sync),
                     backups(all));
}

std::string active_words(const ServerStatus& status, const Databases& databases) {
  const std::string who = "active for " + names_of(databases);
  if (status.lease_expired()) return who + ", but read-only: the role lease has run out";
  const bool failing =
      std::any_of(databases.begin(), databases.end(),
                  [](const DatabaseStatus* one) { return !one->health.can_write(); });
  if (failing) return who + ", but it cannot write to its disk";
  return fmt::format("{}; {}", who, backups_words(databases));
}

std::string following_words(const DatabaseStatus& database) {
  if (database.health.damage) return "whose file is damaged";
  if (!database.follower) return "which follows nobody";
  const FollowerStatus& follower = *database.follower;
  using State = FollowerStatus::State;
  switch (follower.state) {
    case State::kConnecting:
      return "which does not reach its active server";
    case State::kNegotiating:
      return "which asks its active server what it has";
    case State::kResyncing:
      return "which takes over what differs";
    case State::kRefused:
      return "which cannot be replicated";
    case State::kReplicating:
      break;
  }
  if (follower.stale) return "whose active server has fallen silent";
  if (follower.source_is_read_only)
    return database.relay ? "whose source takes no writes" : "which has no active server";
  const std::uint64_t lag = follower.lag_records();
  return lag == 0 ? "in sync" : fmt::format("{} records behind", lag);
}

/// Those that stand alike are named together.
std::string copy_words(std::string_view kind, Databases databases) {
  std::string words;
  while (!databases.empty()) {
    const std::string how = following_words(*databases.front());
    const auto others = std::stable_partition(
        databases.begin(), databases.end(),
        [&](const DatabaseStatus* one) { return following_words(*one) == how; });
    const Databases alike(databases.begin(), others);
    databases.erase(databases.begin(), others);
    words += fmt::format("{}{} for {}, {}", words.empty() ? "" : "; ", kind, names_of(alike), how);
  }
  return words;
}

std::string backup_words(const ServerStatus& status, const Databases& databases) {
  if (status.role == RoleState::kPromoting) return "being made active for " + names_of(databases);
  if (status.role == RoleState::kDraining)
    return "becoming a backup for " + names_of(databases) + ", when backups have everything";
  return copy_words("backup", databases);
}

}  // namespace

Mood mood_of(const ServerStatus& status) {
  const std::vector<control::Concern> concerns = concerns_of(status);
  if (concerns.empty()) return Mood::kGood;
  return concerns.front().outage ? Mood::kOutage : Mood::kCare;
}

std::string verdict_words(const ServerStatus& status) {
  Databases active;
  Databases backup;
  Databases relay;
  for (const DatabaseStatus& database : status.databases)
    (database.relay ? relay : database.backup ? backup : active).push_back(&database);
  std::vector<std::string> parts;
  if (!active.empty()) parts.push_back(active_words(status, active));
  if (!backup.empty()) parts.push_back(backup_words(status, backup));
  if (!relay.empty()) parts.push_back(copy_words("relay", relay));
  if (parts.empty()) return "No database is served here.";
  parts.front().front() = static_cast<char>(parts.front().front() & 0xdf);  // to upper case
  return fmt::format("{}.", fmt::join(parts, "; "));
}

}  // namespace tandem::http
