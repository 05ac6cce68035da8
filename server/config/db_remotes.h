#pragma once

// Remotes and settings that stand in a database: "db:DB,TABLE,COLUMN" (ovsdb-server(1)). All on the
// writer.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/target.h"
#include "server/writer/database_server.h"

namespace tandem {

/// One remote that a row or a string names.
struct DbRemote {
  std::string target;
  std::optional<std::int64_t> max_backoff_ms;
  std::optional<std::int64_t> inactivity_probe_ms;
  std::optional<std::int64_t> dscp;
  bool read_only = false;
  std::string role;
  std::string table;        ///< of the row, when it is one
  std::optional<Uuid> row;  ///< where its status is written back
  bool operator==(const DbRemote&) const = default;
};

/// What is known of a remote's connections, for its row's is_connected and status columns.
struct DbRemoteStatus {
  bool is_connected = false;
  std::map<std::string, std::string>
      status;  ///< keys as ovs-vswitchd.conf.db(5), Manager TABLE, has them
  bool operator==(const DbRemoteStatus&) const = default;
};

/// Checks that `path` names a column of a served database that can hold remotes: strings, or
/// references to rows with a "target". Errors as ovsdb-server words them: `"db:x,y,z": no database
/// named x`.
Result<void> check_remotes_column(DatabaseServer& server, std::string_view path);

/// The remotes that the column holds now; empty strings are left out. Empty when the path does not
/// resolve (any more).
std::vector<DbRemote> read_remotes(DatabaseServer& server, const ColumnPath& path);

/// The first non-empty string of a column, for "db:" in place of a file name or a list of ciphers.
/// Error as check_remotes_column() when the path does not name a string column; nothing when all
/// are empty.
Result<std::string> read_string(DatabaseServer& server, std::string_view path);

/// Names, "db:DB,TABLE,COLUMN", whose contents somebody wants to know.
struct DbQuery {
  std::set<std::string> remotes;
  std::set<std::string> settings;
  bool operator==(const DbQuery&) const = default;
};

/// The contents under the names of a query, or the reason why there are none. A value, for other
/// threads.
struct DbFindings {
  std::map<std::string, Result<std::vector<DbRemote>>> remotes;
  std::map<std::string, Result<std::string>> settings;
};

DbFindings answer_query(DatabaseServer& server, const DbQuery& query);

/// Writes the status back where the row still exists, has the columns, and holds something else.
/// Nothing on a backup.
void write_remote_status(DatabaseServer& server, const std::string& database_name,
                         const DbRemote& remote, const DbRemoteStatus& status);

}  // namespace tandem
