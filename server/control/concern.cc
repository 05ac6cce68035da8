#include "server/control/concern.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "server/control/server_status.h"
#include "server/control/trouble.h"

namespace tandem::control {

namespace {

constexpr std::int64_t kReminderMs = 600'000;
constexpr std::int64_t kDayMs = 86'400'000;
/// A backup that comes back sooner was away for a moment.
constexpr std::int64_t kGatePatienceMs = 3000;
constexpr std::int64_t kFollowPatienceMs = 10'000;

/// What to do about a trouble, and the words for its end.
struct Care {
  std::string_view advice;
  std::string_view end;
  bool told_elsewhere = false;  ///< by who notices it
};

Care care_of(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::kWriteFailing:
      return {
          "make room on the disk, or look at it (dmesg); move the role to a copy that is in "
          "sync (tandem-ctl demote, promote)",
          "writing succeeds again", true};
    case Trouble::Kind::kDamage:
      return {
          "take its contents from another copy: see Damaged files in docs/operating.md before "
          "anything is touched",
          "is whole again", true};
    case Trouble::Kind::kHanging:
      return {"look at the disk (dmesg); move the role to a copy that is in sync",
              "the disk answers again"};
    case Trouble::Kind::kLogFileClosed:
      return {"make its folder writable, then ovs-appctl vlog/reopen", "is written to", true};
    case Trouble::Kind::kLogFileFailing:
      return {"make room on its disk", "lines are written again"};
    case Trouble::Kind::kKeyFile:
      return {"put files there that fit one another: they are read again by themselves",
              "can be used again", true};
    case Trouble::Kind::kExpiring:
    case Trouble::Kind::kExpired:
      return {"put a new one in its place: it is read by itself", "does not run out soon any more"};
    case Trouble::Kind::kNotYetValid:
      return {"look at the clock of this host, and of who made it", "is valid now"};
    case Trouble::Kind::kCommitsWaiting:
      return {"bring a backup back, or let commits go on without (tandem-ctl sync-replicas 0)",
              "commits wait for backups no longer"};
  }
  return {};
}

bool is_of_key_file(Trouble::Kind kind) {
  return kind == Trouble::Kind::kKeyFile || kind == Trouble::Kind::kExpiring ||
         kind == Trouble::Kind::kExpired || kind == Trouble::Kind::kNotYetValid;
}

/// Of a certificate, or of the log file, one thing is wrong at a time; of a disk several may be.
std::string topic_of(const Trouble& trouble) {
  const bool one_at_a_time = !trouble.stops_writing() && !trouble.holds_commits();
  return one_at_a_time ? trouble.subject : fmt::format("{} {}", trouble.name(), trouble.subject);
}

Concern from(const Trouble& trouble) {
  const Care care = care_of(trouble.kind);
  Concern concern;
  concern.topic = topic_of(trouble);
  concern.kind = trouble.name();
  concern.subject = trouble.subject;
  concern.what = trouble.what;
  concern.advice = care.advice;
  concern.outage = trouble.stops_writing() || trouble.holds_commits();
  concern.told_elsewhere = care.told_elsewhere;
  concern.end = care.end;
  concern.remind_ms = is_of_key_file(trouble.kind) ? kDayMs : kReminderMs;
  return concern;
}

Concern about(std::string_view kind, const std::string& subject, std::string what,
              std::string advice) {
  Concern concern;
  concern.topic = fmt::format("{} {}", kind, subject);
  concern.kind = kind;
  concern.subject = subject;
  concern.what = std::move(what);
  concern.advice = std::move(advice);
  concern.remind_ms = kReminderMs;
  return concern;
}

Concern of_lease(const ServerStatus& status) {
  Concern concern =
      about("lease-expired", "role lease",
            fmt::format("has run out, so this server is read-only until it is renewed ({:.1f} s)",
                        static_cast<double>(status.lease.length_ms()) / 1000),
            "look why the cluster manager does not renew it: does it run here, with quorum "
            "(crm_mon -1A)?");
  concern.outage = true;
  concern.told_elsewhere = true;
  concern.end = "is renewed: writable again";
  return concern;
}

/// Why a copy does not have each commit as it comes; empty: it has, or is about to.
std::string separation(const DatabaseStatus& database) {
  const std::string_view original = database.relay ? "source" : "active server";
  if (!database.follower) return "follows nobody";
  const FollowerStatus& follower = *database.follower;
  using State = FollowerStatus::State;
  if (follower.state == State::kRefused)
    return fmt::format("cannot be replicated from {}: {}", database.source, follower.error);
  if (follower.state == State::kConnecting) {
    return fmt::format(
        "no {} is heard at {}{}", original, database.source,
        database.connection_error.empty() ? "" : fmt::format(" ({})", database.connection_error));
  }
  if (follower.stale) return fmt::format("the {} {} has fallen silent", original, database.source);
  if (follower.state == State::kReplicating && follower.source_is_read_only) {
    return database.relay
               ? fmt::format("the source {} takes no writes", database.source)
               : fmt::format("{} is a backup itself: there is no active server", database.source);
  }
  return "";
}

Concern of_separation(const DatabaseStatus& database, std::string what) {
  Concern concern = about(
      "not-following", database.name, std::move(what),
      "look which copies there are (tandem-ctl status --cluster) and start the active server; "
      "if it is lost promote the most advanced copy (tandem-ctl promote)");
  if (database.follower && database.follower->state == FollowerStatus::State::kRefused)
    concern.advice = "mend what it says; it tries again by itself";
  if (!database.follower) concern.advice = "say whom it is to follow: tandem-ctl demote REMOTE";
  if (database.relay) concern.advice = "look at its source, or give it another one";
  concern.outage = true;
  // Stock servers say nothing, and scripts take a warning for a fault of the server.
  concern.level = Concern::Level::kInfo;
  concern.patience_ms = kFollowPatienceMs;
  concern.end = database.relay ? "has a source again" : "has an active server again";
  return concern;
}

Concern of_gate(const ServerStatus& status, const DatabaseStatus& database) {
  const GateStatus& gate = database.entry.gate;
  std::string what =
      fmt::format("{} of {} backups in sync, so commits {}", gate.in_sync, gate.replicas,
                  status.sync.block ? "wait for them" : "are acknowledged without them");
  if (gate.missed > 0) what += fmt::format(" ({} until now)", gate.missed);
  Concern concern =
      about("too-few-backups", database.name, std::move(what),
            fmt::format("bring a backup back, or expect fewer (tandem-ctl sync-replicas {})",
                        gate.in_sync));
  concern.patience_ms = kGatePatienceMs;
  concern.end = "is short of backups no longer";
  return concern;
}

Concern of_stream(const DatabaseStatus& database) {
  Concern concern = about(
      "stream-refused", database.name,
      fmt::format("{} gives it no stream ({}), so each connection costs the whole database and "
                  "nothing is acknowledged",
                  database.source, database.follower->stream_refused),
      "give this backup a remote of its own there, or a certificate that --sync-peers names");
  concern.told_elsewhere = true;
  concern.remind_ms = 0;
  concern.end = "is given the stream";
  return concern;
}

Concern of_divergence(const DatabaseStatus& database) {
  Concern concern =
      about("divergence-files", database.name,
            fmt::format("{} beside it with records that only this server had",
                        *database.divergence_files == 1
                            ? "a file lies"
                            : fmt::format("{} files lie", *database.divergence_files)),
            fmt::format("read them (tandem-tool divergences {}), apply what is still "
                        "wanted, and remove them",
                        database.file));
  concern.told_elsewhere = true;
  concern.remind_ms = 0;
  concern.end = "no records of this server alone lie beside it any more";
  return concern;
}

Concern of_remote(const net::RemoteStatus& remote) {
  Concern concern = about("not-listening", remote.target,
                          fmt::format("nobody can connect here ({})", remote.problem),
                          "free the port (ss -lntp tells who has it), or add the address; it is "
                          "tried again each second");
  concern.outage = true;
  concern.told_elsewhere = true;
  concern.end = "listens, or is gone";
  return concern;
}

void add_database(const ServerStatus& status, const DatabaseStatus& database,
                  std::vector<Concern>& concerns) {
  if (database.is_copy()) {
    if (std::string what = separation(database); !what.empty())
      concerns.push_back(of_separation(database, std::move(what)));
    if (database.follower && !database.follower->stream_refused.empty())
      concerns.push_back(of_stream(database));
  } else if (database.entry.gate.degraded) {
    concerns.push_back(of_gate(status, database));
  }
  if (database.divergence_files.value_or(0) > 0) concerns.push_back(of_divergence(database));
}

}  // namespace

std::vector<Concern> concerns_of(const ServerStatus& status) {
  std::vector<Concern> concerns;
  for (const Trouble& trouble : troubles_of(status)) concerns.push_back(from(trouble));
  if (status.lease_expired()) concerns.push_back(of_lease(status));
  for (const DatabaseStatus& database : status.databases) add_database(status, database, concerns);
  for (const net::RemoteStatus& remote : status.remotes) {
    if (remote.state == "not listening") concerns.push_back(of_remote(remote));
  }
  std::stable_partition(concerns.begin(), concerns.end(),
                        [](const Concern& concern) { return concern.outage; });
  return concerns;
}

}  // namespace tandem::control
