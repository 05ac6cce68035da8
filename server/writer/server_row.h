#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/schema.h"
#include "protocol/uuid.h"
#include "replication/standing.h"

namespace tandem {

/// How "_Server" shows which of several servers is the active one. Clients of OVSDB look for the
/// leader of a cluster; a pair shown as one lets them find the active server, and follow it.
enum class AdvertisedRole : std::uint8_t {
  kNone,       ///< every database is "standalone"
  kLeader,     ///< "clustered"; the leader is whoever may write
  kConnected,  ///< the same, and others are not connected: clients that only read leave them, too
};

std::string_view to_string(AdvertisedRole role);
std::optional<AdvertisedRole> parse_advertised_role(std::string_view name);
/// What to say of a name that is none.
std::string no_advertised_role(std::string_view name);

enum class ServiceModel : std::uint8_t { kStandalone, kClustered, kRelay };

/// A row of the table Database of "_Server", ovsdb-server(5).
struct ServerRow {
  std::string name;
  SchemaRef schema;  ///< null: not known yet
  ServiceModel model = ServiceModel::kStandalone;
  bool connected = true;
  bool leader = true;
  std::optional<Uuid> cid{};  ///< of the history, the same on all its copies
  std::optional<Uuid> sid{};  ///< of this server
  std::optional<std::int64_t> index{};

  bool operator==(const ServerRow&) const = default;
  std::string to_json() const;
};

/// Where a copy stands, as one number: the time at which its epoch was opened, then its records. So
/// a promotion outranks all that clients have seen, also in a history that begins anew, or one that
/// is older: they remember the greatest number, and take no less from any server.
std::int64_t advertised_index(const Standing& standing);

/// Shows a database as a member of a cluster. `before` is the row as it was: within one cid no
/// index is less than one that was shown.
void show_as_clustered(ServerRow& row, AdvertisedRole role, bool writable, const Uuid& server,
                       const Standing& standing, const std::optional<ServerRow>& before);

}  // namespace tandem
