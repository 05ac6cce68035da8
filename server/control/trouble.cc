#include "server/control/trouble.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "server/control/iso_time.h"
#include "server/control/server_status.h"

namespace tandem::control {

namespace {

/// So long before its end a certificate is spoken of: time to have a new one made in.
constexpr std::chrono::hours kNotice{14 * 24};
/// Commits that have waited so long for backups are spoken of.
constexpr std::chrono::seconds kGatePatience{5};

void add_database(const DatabaseStatus& database, std::vector<Trouble>& troubles) {
  const storage::LogHealth& health = database.health;
  if (health.failure)
    troubles.push_back({Trouble::Kind::kWriteFailing, database.name, health.failure->to_string()});
  if (health.damage)
    troubles.push_back({Trouble::Kind::kDamage, database.name, health.damage->to_string()});
  if (health.hangs())
    troubles.push_back({Trouble::Kind::kHanging, database.name, disk_hangs_text(health.waiting)});
  const GateStatus& gate = database.entry.gate;
  const std::chrono::milliseconds waiting(gate.waiting_ms);
  if (!database.backup && waiting >= kGatePatience) {
    troubles.push_back(
        {Trouble::Kind::kCommitsWaiting, database.name,
         fmt::format("commits have waited {} for backups to acknowledge them ({} of {} in sync)",
                     std::chrono::duration_cast<std::chrono::seconds>(waiting), gate.in_sync,
                     gate.replicas)});
  }
}

void add_key_file(const net::KeyFile& file, net::KeyFile::Time now,
                  std::vector<Trouble>& troubles) {
  const std::string subject = fmt::format("{} {}", file.option(), file.path);
  if (!file.problem.empty()) {
    troubles.push_back({Trouble::Kind::kKeyFile, subject, file.problem});
  } else if (file.expiry && *file.expiry <= now) {
    troubles.push_back(
        {Trouble::Kind::kExpired, subject, "has run out at " + iso_time(*file.expiry)});
  } else if (file.start && *file.start > now) {
    troubles.push_back(
        {Trouble::Kind::kNotYetValid, subject, "is not valid before " + iso_time(*file.start)});
  } else if (file.expiry && *file.expiry <= now + kNotice) {
    troubles.push_back(
        {Trouble::Kind::kExpiring, subject, "runs out at " + iso_time(*file.expiry)});
  }
}

}  // namespace

bool Trouble::stops_writing() const {
  switch (kind) {
    case Kind::kWriteFailing:
    case Kind::kDamage:
    case Kind::kHanging:
      return true;
    case Kind::kLogFileClosed:
    case Kind::kLogFileFailing:
    case Kind::kKeyFile:
    case Kind::kExpiring:
    case Kind::kExpired:
    case Kind::kNotYetValid:
    case Kind::kCommitsWaiting:
      return false;
  }
  return false;
}

std::string_view Trouble::name() const {
  switch (kind) {
    case Kind::kWriteFailing:
      return "write-failing";
    case Kind::kDamage:
      return "damaged";
    case Kind::kHanging:
      return "disk-hanging";
    case Kind::kLogFileClosed:
      return "log-file-closed";
    case Kind::kLogFileFailing:
      return "log-file-failing";
    case Kind::kKeyFile:
      return "key-file-unusable";
    case Kind::kExpiring:
      return "certificate-expiring";
    case Kind::kExpired:
      return "certificate-expired";
    case Kind::kNotYetValid:
      return "certificate-not-yet-valid";
    case Kind::kCommitsWaiting:
      return "commits-waiting";
  }
  return "";
}

std::vector<Trouble> troubles_of(const ServerStatus& status) {
  std::vector<Trouble> troubles;
  for (const DatabaseStatus& database : status.databases) add_database(database, troubles);
  if (!status.log_file.can_write()) {
    const bool open = status.log_file.is_open();
    troubles.push_back({open ? Trouble::Kind::kLogFileFailing : Trouble::Kind::kLogFileClosed,
                        "log file", status.log_file.fault()});
  }
  const net::KeyFile::Time now{std::chrono::milliseconds(status.now_wall_ms)};
  for (const net::KeyFile& file : status.key_files) add_key_file(file, now, troubles);
  return troubles;
}

}  // namespace tandem::control
