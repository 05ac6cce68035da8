#include "server/control/health_watch.h"

#include <algorithm>

#include "server/control/server_status.h"
#include "server/logging/log.h"

namespace tandem::control {

namespace {

log::Module server_log("ovsdb_server");

/// The words for its end; empty: it is logged where it happens.
std::string_view end_of(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::kWriteFailing:
    case Trouble::Kind::kDamage:
    case Trouble::Kind::kLogFileClosed:
    case Trouble::Kind::kKeyFile:
      return "";
    case Trouble::Kind::kHanging:
      return "the disk answers again";
    case Trouble::Kind::kLogFileFailing:
      return "lines are written again";
    case Trouble::Kind::kExpiring:
    case Trouble::Kind::kExpired:
      return "does not run out soon any more";
    case Trouble::Kind::kNotYetValid:
      return "is valid now";
    case Trouble::Kind::kCommitsWaiting:
      return "commits wait for backups no longer";
  }
  return "";
}

}  // namespace

void HealthWatch::look(const ServerStatus& status) {
  const std::vector<Trouble> troubles = troubles_of(status);
  std::map<Key, Trouble> now;
  for (const Trouble& trouble : troubles) {
    if (!end_of(trouble.kind).empty()) now.emplace(Key{trouble.kind, trouble.subject}, trouble);
  }
  for (const auto& [key, trouble] : now) {
    if (!known_.contains(key)) server_log.warn("{}", trouble.to_string());
  }
  for (const auto& [key, trouble] : known_) {
    const auto& [kind, subject] = key;
    // A certificate that has run out did so soon before, and a log file is not open or fails.
    const bool turned =
        std::any_of(troubles.begin(), troubles.end(), [&about = key.second](const Trouble& other) {
          return !other.stops_writing() && !other.holds_commits() && other.subject == about;
        });
    if (!turned && !now.contains(key)) server_log.info("{}: {}", subject, end_of(kind));
  }
  known_ = std::move(now);
}

}  // namespace tandem::control
