// ServerStatus as JSON and as text.

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "server/control/facts_report.h"
#include "server/control/health_json.h"
#include "server/control/position_json.h"
#include "server/control/server_status.h"
#include "server/control/trouble.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

/// Backups that are shown of a database; there are as many as connect.
constexpr std::size_t kMostFollowers = 100;

std::string_view lease_state(Lease::State state) {
  switch (state) {
    case Lease::State::kUnarmed:
      return "unarmed";
    case Lease::State::kHeld:
      return "held";
    case Lease::State::kExpired:
      return "expired";
  }
  return "";
}

OrderedJson lease_json(const ServerStatus& status) {
  const Lease::State state = status.lease.state(status.now_ms);
  OrderedJson lease = {{"state", lease_state(state)}};
  if (const auto deadline = status.lease.deadline_ms()) {
    lease["left_ms"] = *deadline - status.now_ms;
    lease["length_ms"] = status.lease.length_ms();
  }
  return lease;
}

OrderedJson resync_json(const ServerStatus& status, const FollowerStatus& follower) {
  OrderedJson resync = {{"rows", follower.rows}, {"rows_total", follower.rows_total}};
  if (const auto left = follower.resync_left_ms(status.now_ms)) resync["left_ms"] = *left;
  return resync;
}

OrderedJson follower_json(const ServerStatus& status, const FollowerStatus& follower) {
  OrderedJson object = {{"state", to_string(follower.state)},
                        {"stale", follower.stale},
                        {"mode", to_string(follower.mode)},
                        {"lag_records", follower.lag_records()},
                        {"lag_ms", follower.lag_ms(status.now_ms)}};
  if (follower.heard_ms) object["heard_ms_ago"] = status.now_ms - *follower.heard_ms;
  if (follower.state == FollowerStatus::State::kResyncing)
    object["resync"] = resync_json(status, follower);
  if (!follower.error.empty()) {
    object["last_error"] = printable(follower.error);
    object["last_error_time"] = calendar_time_of(status, follower.error_ms);
  }
  if (!follower.stream_refused.empty()) object["stream_refused"] = follower.stream_refused;
  object["commits"] = follower.commits;
  object["resumes"] = follower.resumes;
  object["resyncs"] = follower.resyncs;
  object["divergences"] = follower.divergences;
  object["records_aside"] = follower.records_aside;
  if (!follower.divergence_file.empty()) object["divergence_file"] = follower.divergence_file;
  return object;
}

std::span<const FeedStatus> shown(const std::vector<FeedStatus>& followers) {
  return std::span(followers).first(std::min(followers.size(), kMostFollowers));
}

OrderedJson feed_json(const ServerStatus& status, const FeedStatus& feed, const Position& newest) {
  const Position& at = feed.acknowledged;
  return {{"node", printable(feed.peer_name())},
          {"name", printable(feed.name)},
          {"address", printable(feed.address)},
          {"in_sync", feed.in_sync},
          {"doubted", feed.doubted},
          {"lag_records", newest.index > at.index ? newest.index - at.index : 0},
          {"acknowledged", position_json(at)},
          {"heard_ms_ago", status.now_ms - feed.heard_ms},
          {"server_id", feed.server_id.to_string()}};
}

OrderedJson gate_json(const GateStatus& gate) {
  return {{"replicas", gate.replicas}, {"in_sync", gate.in_sync},       {"degraded", gate.degraded},
          {"waiting", gate.waiting},   {"waiting_ms", gate.waiting_ms}, {"missed", gate.missed}};
}

OrderedJson database_json(const ServerStatus& status, const DatabaseStatus& database) {
  const StatusBoard::Entry& entry = database.entry;
  OrderedJson object = {{"name", database.name},
                        {"role", database.role()},
                        {"writable", status.writable(database)},
                        {"position", position_json(entry.position)},
                        {"health", health_json(database.health)},
                        {"file", printable(database.file)},
                        {"file_bytes", database.file_bytes}};
  if (database.is_copy()) {
    object["source"] = database.source;
    if (!database.connection_error.empty())
      object["connection_error"] = printable(database.connection_error);
    if (database.follower) object["follower"] = follower_json(status, *database.follower);
  }
  object["gate"] = gate_json(entry.gate);
  object["followers_total"] = entry.followers.size();
  OrderedJson feeds = OrderedJson::array();
  for (const FeedStatus& feed : shown(entry.followers))
    feeds.push_back(feed_json(status, feed, entry.position));
  object["followers"] = std::move(feeds);
  object["commits"] = entry.commits;
  object["history"] = {{"from", position_json(entry.history_start)},
                       {"commits", entry.history_commits},
                       {"bytes", entry.history_bytes}};
  return object;
}

OrderedJson limits_json(const ServerStatus& status) {
  OrderedJson limits = OrderedJson::object();
  for (const ServerStatus::LimitStatus& limit : status.limits) {
    limits[limit.name] = {
        {"value", limit.value}, {"times", limit.times}, {"connections", limit.connections}};
  }
  return limits;
}

/// Those that were met.
std::string limits_text(const ServerStatus& status) {
  std::string out;
  for (const ServerStatus::LimitStatus& limit : status.limits) {
    if (limit.times == 0) continue;
    out += fmt::format("limit: {} {} met {} times by {} connections\n", limit.name, limit.value,
                       limit.times, limit.connections);
  }
  return out;
}

/// "[#####.....] 50% (10 of 20 rows)"
std::string progress_bar(std::uint64_t done, std::uint64_t total) {
  constexpr std::uint64_t kWidth = 30;
  if (total == 0) return fmt::format("{} rows", done);
  const std::uint64_t filled = std::min(kWidth, done * kWidth / total);
  return fmt::format("[{:.<{}}] {}% ({} of {} rows)", std::string(filled, '#'), kWidth,
                     std::min<std::uint64_t>(100, done * 100 / total), done, total);
}

std::string seconds(std::int64_t ms) {
  return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

std::string followers_text(const ServerStatus& status, const DatabaseStatus& database) {
  std::string out;
  const GateStatus& gate = database.entry.gate;
  if (gate.replicas > 0) {
    out +=
        fmt::format("  gate: {} of {} backups in sync{}, {} waiting, {} missed\n", gate.in_sync,
                    gate.replicas, gate.degraded ? " (degraded)" : "", gate.waiting, gate.missed);
  }
  for (const FeedStatus& feed : shown(database.entry.followers)) {
    const std::uint64_t newest = database.entry.position.index;
    const std::uint64_t at = feed.acknowledged.index;
    out += fmt::format("  follower: {} {} {}, {} records behind, heard {} ago\n",
                       printable(feed.peer_name()), printable(feed.address),
                       feed.doubted   ? "doubted"
                       : feed.in_sync ? "in sync"
                                      : "behind",
                       newest > at ? newest - at : 0, seconds(status.now_ms - feed.heard_ms));
  }
  if (database.entry.followers.size() > kMostFollowers)
    out +=
        fmt::format("  and {} more followers\n", database.entry.followers.size() - kMostFollowers);
  return out;
}

std::string follower_text(const ServerStatus& status, const FollowerStatus& follower) {
  std::string out =
      fmt::format("  follows: {}", follower.stale ? "stale" : to_string(follower.state));
  if (follower.mode != FollowerStatus::Mode::kNone)
    out += fmt::format(" by {}", to_string(follower.mode));
  if (follower.heard_ms)
    out += fmt::format(", heard {} ago", seconds(status.now_ms - *follower.heard_ms));
  out += fmt::format(", {} records and {} ms behind\n", follower.lag_records(),
                     follower.lag_ms(status.now_ms));
  if (!follower.stream_refused.empty())
    out += fmt::format("  stream refused: {}\n", follower.stream_refused);
  if (follower.state == FollowerStatus::State::kResyncing) {
    out += fmt::format("  resync: {}", progress_bar(follower.rows, follower.rows_total));
    if (const auto left = follower.resync_left_ms(status.now_ms))
      out += fmt::format(", about {} left", seconds(*left));
    out += '\n';
  }
  out += fmt::format("  so far: {} commits, {} resumes, {} resyncs\n", follower.commits,
                     follower.resumes, follower.resyncs);
  if (follower.divergences > 0) {
    out += fmt::format("  diverged: {} times, {} records set aside, the last in {}\n",
                       follower.divergences, follower.records_aside,
                       printable(follower.divergence_file));
  }
  if (!follower.error.empty()) {
    out += fmt::format("  last error: {} at {}\n", printable(follower.error),
                       calendar_time_of(status, follower.error_ms));
  }
  return out;
}

std::string database_text(const ServerStatus& status, const DatabaseStatus& database) {
  const Position& position = database.entry.position;
  std::string out = fmt::format("database: {}\n  role: {}\n", database.name, database.role());
  out += fmt::format("  position: epoch {} index {} digest {}\n",
                     static_cast<std::uint64_t>(position.epoch), position.index,
                     position.digest.to_string());
  if (!database.file.empty())
    out += fmt::format("  file: {}, {} bytes\n", printable(database.file), database.file_bytes);
  out += followers_text(status, database);
  if (!database.is_copy()) return out;
  out += fmt::format("  source: {}\n", printable(database.source));
  if (database.follower) out += follower_text(status, *database.follower);
  if (!database.connection_error.empty())
    out += fmt::format("  connection: {}\n", printable(database.connection_error));
  return out;
}

}  // namespace

OrderedJson to_json(const ServerStatus& status) {
  OrderedJson databases = OrderedJson::array();
  for (const DatabaseStatus& database : status.databases)
    databases.push_back(database_json(status, database));
  return {{"role", status.is_active() ? "active" : "backup"},
          {"writable", status.writable()},
          {"health", health_json(status)},
          {"lease", lease_json(status)},
          {"role_changes", role_changes_json(status)},
          {"databases", std::move(databases)},
          {"clients", status.clients()},
          {"remotes", remotes_json(status)},
          {"http", status.http},
          {"active_server", status.active_server},
          {"exclude_tables", status.exclude_tables},
          {"sync",
           {{"replicas", status.sync.replicas},
            {"timeout_ms", status.sync.timeout_ms},
            {"fallback", status.sync.block ? "block" : "async"},
            {"peers", status.sync_peers}}},
          {"node_name", printable(status.node_name)},
          {"advertised_role", to_string(status.advertised_role)},
          {"forward_writes", status.forward_writes},
          {"host", printable(status.host)},
          {"server_id", status.server_id},
          {"version", TANDEM_VERSION},
          {"program_gone", status.program_gone},
          {"pid", status.pid},
          {"time", calendar_time_of(status, status.now_ms)},
          {"uptime_ms", status.uptime_ms},
          {"limits", limits_json(status)}};
}

std::string status_text(const ServerStatus& status) {
  std::string out = fmt::format("role: {}\n", status.is_active() ? "active" : "backup");
  if (status.lease_expired()) {
    out += "writable: no, the role lease has run out\n";
  } else {
    out += fmt::format("writable: {}\n", status.writable() ? "yes" : "no");
  }
  for (const Trouble& trouble : troubles_of(status))
    out += fmt::format("health: {}\n", printable(trouble.to_string()));
  const Lease::State lease = status.lease.state(status.now_ms);
  out += fmt::format("lease: {}", lease_state(lease));
  if (lease == Lease::State::kHeld)
    out += fmt::format(", {} left", seconds(*status.lease.deadline_ms() - status.now_ms));
  out += fmt::format("\nsync-replicas: {}", status.sync.replicas);
  if (status.sync.replicas > 0)
    out += fmt::format(", timeout {} ms, then {}", status.sync.timeout_ms,
                       status.sync.block ? "block" : "async");
  out += fmt::format("\nsync-peers: {}", status.sync_peers);
  if (!status.node_name.empty()) out += fmt::format("\nnode-name: {}", printable(status.node_name));
  if (status.advertised_role != AdvertisedRole::kNone)
    out += fmt::format("\nadvertised-role: {}", to_string(status.advertised_role));
  if (status.forward_writes) out += "\nforward-writes: yes";
  out += fmt::format("\nserver-id: {}\n", status.server_id);
  if (!status.active_server.empty())
    out += fmt::format("active-server: {}\n", printable(status.active_server));
  if (!status.exclude_tables.empty())
    out += fmt::format("exclude-tables: {}\n", printable(status.exclude_tables));
  out += facts_text(status);
  out += limits_text(status);
  for (const DatabaseStatus& database : status.databases) out += database_text(status, database);
  return out;
}

std::string short_status_text(const ServerStatus& status) {
  std::string out;
  for (const DatabaseStatus& database : status.databases) {
    const StatusBoard::Entry& entry = database.entry;
    std::string_view state = status.lease_expired() ? "expired" : "writable";
    if (database.is_copy()) {
      state = !database.follower         ? "idle"
              : database.follower->stale ? "stale"
                                         : to_string(database.follower->state);
    }
    if (!database.health.can_write()) state = database.health.damage ? "damaged" : "failing";
    out += fmt::format("{} {} {} {} {}\n", database.name, database.role(), state,
                       static_cast<std::uint64_t>(entry.position.epoch), entry.position.index);
  }
  return out;
}

}  // namespace tandem::control
