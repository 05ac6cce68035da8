#include "server/http/pages.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "server/control/metrics.h"
#include "server/control/trouble.h"
#include "server/http/status_page.h"
#include "server/logging/printable.h"

namespace tandem::http {

namespace {

using control::DatabaseStatus;
using control::ServerStatus;
using control::Trouble;

constexpr std::string_view kText = "text/plain; charset=utf-8";

/// What a query has as %XX (RFC 3986 section 2.1).
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct Target {
  std::string_view path;
  std::optional<std::string> database;
};

Target read_target(std::string_view text) {
  Target target;
  const std::size_t mark = text.find('?');
  target.path = text.substr(0, mark);
  if (mark == std::string_view::npos) return target;
  std::string_view query = text.substr(mark + 1);
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    if (field.starts_with("db=")) target.database = decoded(field.substr(3));
  }
  return target;
}

/// The whole server, as far as the target is about it: all of its databases, or one.
ServerStatus narrowed(const ServerStatus& status, const std::string& database) {
  ServerStatus one = status;
  std::erase_if(one.databases, [&](const DatabaseStatus& other) { return other.name != database; });
  // Roles may differ where a configuration file says so.
  for (const DatabaseStatus& found : one.databases) {
    if (!found.backup && !one.is_active()) one.role = RoleState::kActive;
    if (!found.is_copy() && one.lease.state(one.now_ms) == Lease::State::kExpired)
      one.role = RoleState::kExpired;
    if (found.backup && one.is_active()) one.role = RoleState::kBackup;
  }
  return one;
}

/// A line for each database whose commits are not answered. This server is the best there is for
/// them all the same: a backup that takes over would have to wait for others in its turn.
std::string held_commits(const ServerStatus& status) {
  std::string warnings;
  for (const Trouble& trouble : troubles_of(status)) {
    if (trouble.holds_commits()) warnings += "warning: " + printable(trouble.to_string()) + "\n";
  }
  return warnings;
}

/// A line for each relay that has no source which takes writes.
std::string lost_sources(const ServerStatus& status) {
  std::string lost;
  for (const DatabaseStatus& database : status.databases) {
    if (!database.relay || status.writable(database)) continue;
    const std::string unsynced = status.unsynced(database);
    lost +=
        "relay, " +
        printable(unsynced.empty() ? database.name + ": its source takes no writes" : unsynced) +
        "\n";
  }
  return lost;
}

Page active_page(const ServerStatus& status) {
  if (const std::string lost = lost_sources(status); !lost.empty()) return {503, kText, lost};
  if (status.writable()) return {200, kText, "active\n" + held_commits(status)};
  if (!status.is_active()) {
    const std::string damage = printable(status.damage());
    return {503, kText, damage.empty() ? "backup\n" : "backup, as " + damage + "\n"};
  }
  if (status.lease_expired()) return {503, kText, "active, but the lease has run out\n"};
  return {503, kText, fmt::format("active, but {}\n", printable(status.disk_fault()))};
}

Page synced_page(const ServerStatus& status) {
  std::string missing;
  for (const DatabaseStatus& database : status.databases) {
    const std::string what = status.unsynced(database);
    if (!what.empty()) missing += printable(what) + "\n";
  }
  return missing.empty() ? Page{200, kText, "synced\n"} : Page{503, kText, missing};
}

/// A line for each trouble. What stops nobody from writing makes no probe fail: a server that is
/// replaced because of its certificate has the same one afterwards.
Page health_page(const ServerStatus& status) {
  std::string faults;
  std::string warnings;
  for (const Trouble& trouble : troubles_of(status)) {
    const std::string line = printable(trouble.to_string()) + "\n";
    if (trouble.stops_writing()) {
      faults += line;
    } else {
      warnings += "warning: " + line;
    }
  }
  return faults.empty() ? Page{200, kText, "healthy\n" + warnings}
                        : Page{503, kText, faults + warnings};
}

Page page_of(std::string_view path, const ServerStatus& status, const control::Journal& journal) {
  if (path == "/") return {200, "text/html; charset=utf-8", status_page(status, journal)};
  if (path == "/active") return active_page(status);
  if (path == "/synced") return synced_page(status);
  if (path == "/healthz") return health_page(status);
  if (path == "/status") return {200, "application/json", to_text(to_json(status)) + "\n"};
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8",
            to_metrics(status, read_process_figures())};
  }
  return {404, kText, "/, /active, /synced, /healthz, /status or /metrics\n"};
}

}  // namespace

Page make_page(std::string_view target_text, const ServerStatus& status,
               const control::Journal& journal) {
  const Target target = read_target(target_text);
  if (!target.database) return page_of(target.path, status, journal);
  const ServerStatus one = narrowed(status, *target.database);
  if (one.databases.empty())
    return {404, kText, fmt::format("no database {} here\n", printable(*target.database))};
  return page_of(target.path, one, journal);
}

}  // namespace tandem::http
