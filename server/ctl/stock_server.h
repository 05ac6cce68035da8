#pragma once

// Open vSwitch's own database server answers none of Tandem's commands. What it can tell of itself
// is asked for by its own, and put into the members of a Tandem server's status.

#include <chrono>
#include <string>
#include <vector>

#include "protocol/error.h"
#include "protocol/json/value.h"
#include "server/ctl/client.h"

namespace tandem::ctl {

/// Is this the answer of a server that does not know the command?
bool is_unknown_command(const Answer& answer);

/// What to use there in place of a command of Tandem's, for people. Empty: there is nothing.
std::string stock_command_for(const std::string& command);

/// The status of a server, from its answers to `version`, `ovsdb-server/list-dbs` and
/// `ovsdb-server/sync-status`.
Json read_stock_status(const std::string& version, const std::string& databases,
                       const std::string& sync_status);

/// Asks the server behind a control socket for them. Fails also if its databases are clustered: who
/// may write there is not told by a role. Blocks.
Result<Json> stock_status(const std::string& socket, std::chrono::milliseconds timeout);

/// For people.
std::string stock_status_text(const Json& status);

}  // namespace tandem::ctl
