#include "server/control/facts_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <span>

#include "server/control/human_text.h"
#include "server/control/iso_time.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

/// Changes of role that people are shown.
constexpr std::size_t kMostChanges = 3;

std::string remote_text(const net::RemoteStatus& remote) {
  std::string text = fmt::format("remote: {} {}", printable(remote.target), remote.state);
  if (!remote.problem.empty()) text += fmt::format(" ({})", printable(remote.problem));
  if (remote.connections == 1) text += ", 1 client";
  if (remote.connections > 1) text += fmt::format(", {} clients", remote.connections);
  return text + "\n";
}

}  // namespace

std::string_view role_name(RoleState role) {
  switch (role) {
    case RoleState::kActive:
      return "active";
    case RoleState::kExpired:
      return "expired";
    case RoleState::kBackup:
    case RoleState::kPromoting:
    case RoleState::kDraining:
      return "backup";
  }
  return "";
}

std::string calendar_time_of(const ServerStatus& status, std::int64_t monotonic_ms) {
  const std::chrono::milliseconds wall(status.now_wall_ms - (status.now_ms - monotonic_ms));
  return iso_time(std::chrono::system_clock::time_point(wall));
}

OrderedJson role_changes_json(const ServerStatus& status) {
  OrderedJson changes = OrderedJson::array();
  for (const RoleNote& change : status.role_changes) {
    changes.push_back({{"role", role_name(change.role)},
                       {"time", calendar_time_of(status, change.at_ms)},
                       {"ms_ago", status.now_ms - change.at_ms}});
  }
  return changes;
}

OrderedJson remotes_json(const ServerStatus& status) {
  OrderedJson remotes = OrderedJson::array();
  for (const net::RemoteStatus& remote : status.remotes) {
    OrderedJson object = {{"target", printable(remote.target)},
                          {"state", remote.state},
                          {"clients", remote.connections}};
    if (!remote.problem.empty()) object["problem"] = printable(remote.problem);
    remotes.push_back(std::move(object));
  }
  return remotes;
}

std::string facts_text(const ServerStatus& status) {
  std::string out = fmt::format("version: Tandem {}{}\n", TANDEM_VERSION,
                                status.program_gone ? ", replaced since the start" : "");
  if (status.pid != 0) out += fmt::format("pid: {}\n", status.pid);
  if (!status.host.empty()) out += fmt::format("host: {}\n", printable(status.host));
  out += fmt::format("uptime: {}\n", duration_text(status.uptime_ms));
  for (const RoleNote& change :
       std::span(status.role_changes).first(std::min(status.role_changes.size(), kMostChanges))) {
    out += fmt::format("role-change: {} at {}, {} ago\n", role_name(change.role),
                       calendar_time_of(status, change.at_ms),
                       duration_text(status.now_ms - change.at_ms));
  }
  out += fmt::format("clients: {}\n", status.clients());
  for (const net::RemoteStatus& remote : status.remotes) out += remote_text(remote);
  return out;
}

}  // namespace tandem::control
