#pragma once

// The configuration file: ovsdb-server(1), --config-file; a JSON object of remotes and databases.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "server/net/remote_options.h"
#include "server/writer/server_row.h"

namespace tandem {

/// What a configuration file says. A value.
struct ConfigFile {
  enum class Model : std::uint8_t {
    kAny,           ///< not said: whatever the file holds
    kStandalone,    ///< one server
    kClustered,     ///< Raft; not served here
    kActiveBackup,  ///< standalone, with a source to follow
    kRelay,         ///< what another server has
  };
  struct Database {
    Model model = Model::kAny;
    bool backup = false;
    std::string source;  ///< whom it follows as a backup, or relays; empty: none
    net::RemoteOptions source_options;
    std::set<std::string> exclude_tables;
    bool operator==(const Database&) const = default;
  };
  std::map<std::string, net::RemoteOptions> remotes;  ///< by target
  std::map<std::string, Database> databases;          ///< by file, or by schema for relays
  std::optional<AdvertisedRole> advertised_role;      ///< "advertise-role"; Tandem's own

  /// Reads the file's text. What is wrong is logged as warnings, in ovsdb-server's words; the error
  /// says only that.
  static Result<ConfigFile> parse(std::string_view text);
  /// The same from a file.
  static Result<ConfigFile> load(const std::string& path);
};

}  // namespace tandem
