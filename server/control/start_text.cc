#include "server/control/start_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "server/control/facts_report.h"
#include "server/control/human_text.h"
#include "server/control/version.h"

namespace tandem::control {

namespace {

/// Databases and remotes that are named; there may be many more.
constexpr std::size_t kMostNamed = 20;

std::string database_text(const DatabaseStatus& database, bool says_role) {
  std::string text =
      fmt::format("{} at {}", database.name, database.entry.position.height().to_string());
  if (!database.file.empty())
    text += fmt::format(" ({} in {})", bytes_text(database.file_bytes), database.file);
  if (says_role || database.relay)
    text += database.relay ? ", a relay" : database.backup ? ", a backup" : ", active";
  if (database.is_copy() && !database.source.empty()) text += ", of " + database.source;
  return text;
}

template <class List, class Text>
std::string list_of(const List& list, std::string_view between, Text text) {
  std::string out;
  const std::size_t named = std::min(list.size(), kMostNamed);
  for (std::size_t i = 0; i < named; ++i)
    out += (i == 0 ? "" : std::string(between)) + text(list[i]);
  if (list.size() > named) out += fmt::format("{}{} more", between, list.size() - named);
  return out;
}

std::string databases_text(const ServerStatus& status) {
  if (status.databases.empty()) return "no databases";
  const bool alike = std::all_of(
      status.databases.begin(), status.databases.end(),
      [&](const DatabaseStatus& database) { return database.backup != status.is_active(); });
  return list_of(status.databases, ", ",
                 [&](const DatabaseStatus& database) { return database_text(database, !alike); });
}

/// Those that are not as they are without being named.
std::string settings_text(const ServerStatus& status) {
  std::string out;
  if (status.sync.replicas > 0) {
    out += fmt::format("; commits wait for {} backup{}, {} ms, then {}", status.sync.replicas,
                       status.sync.replicas == 1 ? "" : "s", status.sync.timeout_ms,
                       status.sync.block ? "block" : "go on");
  }
  if (status.sync_peers != "any") out += "; backups may be " + status.sync_peers;
  if (!status.exclude_tables.empty()) out += "; without " + status.exclude_tables;
  if (status.is_active() && !status.active_server.empty())
    out += "; as a backup it would follow " + status.active_server;
  if (status.lease.deadline_ms()) out += "; under a role lease";
  if (!status.node_name.empty()) out += "; node " + status.node_name;
  if (status.advertised_role != AdvertisedRole::kNone)
    out += fmt::format("; advertises {}", to_string(status.advertised_role));
  if (status.forward_writes)
    out += status.is_active() ? "; as a backup it would forward writes" : "; forwards writes";
  if (!status.http.empty())
    out += "; pages at " + list_of(status.http, ", ", [](const std::string& at) { return at; });
  return out;
}

}  // namespace

std::string start_text(const ServerStatus& status) {
  const std::string remotes = list_of(status.remotes, ", ", [](const net::RemoteStatus& remote) {
    return remote.state == "listening" || remote.state.empty()
               ? remote.target
               : fmt::format("{} ({})", remote.target, remote.state);
  });
  return fmt::format("{} (Tandem {}): {}; {}; remotes: {}{}", kCompatibleVersion, TANDEM_VERSION,
                     role_name(status.role), databases_text(status),
                     remotes.empty() ? "none" : remotes, settings_text(status));
}

}  // namespace tandem::control
