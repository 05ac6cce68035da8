#pragma once

// The rights of a connection, asked anew at each message: role and read_only change in place when a
// remote is configured anew, and the list of peers by a command.

#include <cstdint>
#include <set>
#include <string>

#include "protocol/error.h"
#include "server/session/connection_port.h"

namespace tandem {

/// The right that a method asks of the connection that it comes from.
enum class Authority : std::uint8_t {
  kAnyone,  ///< nothing; "transact" is here, since its operations are checked one by one
  kWriter,  ///< it is not read-only
  kRoot,    ///< it has no role, and is not read-only
  kPeer,    ///< the same, and it is on the list of peers: a backup
};

/// The clients that may be backups: those whose certificates have one of these common names, or
/// anybody.
class PeerList {
 public:
  PeerList() = default;

  /// Reads "any", or names with commas between them.
  static Result<PeerList> parse(const std::string& text);
  /// The form that parse() reads.
  std::string to_string() const;

  bool contains(const ConnectionInfo& connection) const {
    return names_.empty() || names_.contains(connection.peer_id);
  }
  bool operator==(const PeerList&) const = default;

 private:
  std::set<std::string> names_;  // empty: anybody
};

bool has_authority(const ConnectionInfo& connection, Authority needed, const PeerList& peers);

}  // namespace tandem
