// ServerStatus as JSON and as text.

#include <fmt/core.h>

#include <ctime>

#include "server/control/server_status.h"

namespace tandem::control {

namespace {

std::string_view lease_state(RoleLease::State state) {
  switch (state) {
    case RoleLease::State::kUnarmed:
      return "unarmed";
    case RoleLease::State::kHeld:
      return "held";
    case RoleLease::State::kExpired:
      return "expired";
  }
  return "";
}

/// What a monotonic time was on the calendar.
std::int64_t wall_of(const ServerStatus& status, std::int64_t monotonic_ms) {
  return status.now_wall_ms - (status.now_ms - monotonic_ms);
}

std::string iso_time(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     wall_ms % 1000);
}

json::object lease_json(const ServerStatus& status) {
  const RoleLease::State state = status.lease.state(status.now_ms);
  json::object lease{{"state", lease_state(state)}};
  if (const auto deadline = status.lease.deadline_ms()) {
    lease["length_ms"] = status.lease.length_ms();
    lease["left_ms"] = *deadline - status.now_ms;
  }
  return lease;
}

json::object follower_json(const ServerStatus& status, const FollowerStatus& follower) {
  json::object object{{"state", to_string(follower.state)},
                      {"mode", to_string(follower.mode)},
                      {"resyncs", follower.resyncs},
                      {"commits", follower.commits}};
  if (follower.heard_ms) object["heard_ms_ago"] = status.now_ms - *follower.heard_ms;
  if (!follower.error.empty()) {
    object["last_error"] = follower.error;
    object["last_error_time"] = iso_time(wall_of(status, follower.error_ms));
  }
  return object;
}

json::object database_json(const ServerStatus& status, const DatabaseStatus& database) {
  json::object object{{"name", database.name},
                      {"role", database.entry.backup ? "backup" : "active"},
                      {"position", database.entry.position.to_json()},
                      {"commits", database.entry.commits},
                      {"history",
                       {{"from", database.entry.history_start.to_json()},
                        {"commits", database.entry.history_commits},
                        {"bytes", database.entry.history_bytes}}}};
  if (database.entry.backup) {
    object["source"] = database.source;
    if (!database.connection_error.empty()) object["connection_error"] = database.connection_error;
    if (database.follower) object["follower"] = follower_json(status, *database.follower);
  }
  return object;
}

std::string follower_text(const ServerStatus& status, const FollowerStatus& follower) {
  std::string out = fmt::format("  follows: {}", to_string(follower.state));
  if (follower.mode != FollowerStatus::Mode::kNone)
    out += fmt::format(" by {}", to_string(follower.mode));
  if (follower.heard_ms)
    out += fmt::format(", heard {:.1f} s ago",
                       static_cast<double>(status.now_ms - *follower.heard_ms) / 1000);
  out += "\n";
  out += fmt::format("  taken over: {} commits, {} resyncs\n", follower.commits, follower.resyncs);
  if (!follower.error.empty()) {
    out += fmt::format("  last error: {} at {}\n", follower.error,
                       iso_time(wall_of(status, follower.error_ms)));
  }
  return out;
}

std::string database_text(const ServerStatus& status, const DatabaseStatus& database) {
  const Position& position = database.entry.position;
  std::string out = fmt::format("database: {}\n  role: {}\n", database.name,
                                database.entry.backup ? "backup" : "active");
  out += fmt::format("  position: epoch {} index {} digest {}\n",
                     static_cast<std::uint64_t>(position.epoch), position.index,
                     position.digest.to_string());
  if (!database.entry.backup) return out;
  out += fmt::format("  source: {}\n", database.source);
  if (database.follower) out += follower_text(status, *database.follower);
  if (!database.connection_error.empty())
    out += fmt::format("  connection: {}\n", database.connection_error);
  return out;
}

}  // namespace

json::object to_json(const ServerStatus& status) {
  json::array databases;
  for (const DatabaseStatus& database : status.databases)
    databases.push_back(database_json(status, database));
  return {{"server_id", status.server_id},
          {"time", iso_time(status.now_wall_ms)},
          {"uptime_ms", status.uptime_ms},
          {"role", status.backup ? "backup" : "active"},
          {"writable", status.writable()},
          {"lease", lease_json(status)},
          {"sync",
           {{"replicas", status.sync.replicas},
            {"timeout_ms", status.sync.timeout_ms},
            {"fallback", status.sync.block ? "block" : "async"}}},
          {"active_server", status.active_server},
          {"exclude_tables", status.exclude_tables},
          {"databases", std::move(databases)}};
}

std::string status_text(const ServerStatus& status) {
  std::string out = fmt::format("role: {}\n", status.backup ? "backup" : "active");
  if (status.lease_expired()) {
    out += "writable: no, the role lease has run out\n";
  } else {
    out += fmt::format("writable: {}\n", status.writable() ? "yes" : "no");
  }
  const RoleLease::State lease = status.lease.state(status.now_ms);
  out += fmt::format("lease: {}", lease_state(lease));
  if (lease == RoleLease::State::kHeld)
    out += fmt::format(", {:.1f} s left",
                       static_cast<double>(*status.lease.deadline_ms() - status.now_ms) / 1000);
  out += fmt::format("\nsync-replicas: {}", status.sync.replicas);
  if (status.sync.replicas > 0)
    out += fmt::format(", timeout {} ms, then {}", status.sync.timeout_ms,
                       status.sync.block ? "block" : "async");
  out += fmt::format("\nserver-id: {}\n", status.server_id);
  if (!status.active_server.empty())
    out += fmt::format("active-server: {}\n", status.active_server);
  if (!status.exclude_tables.empty())
    out += fmt::format("exclude-tables: {}\n", status.exclude_tables);
  for (const DatabaseStatus& database : status.databases) out += database_text(status, database);
  return out;
}

}  // namespace tandem::control
