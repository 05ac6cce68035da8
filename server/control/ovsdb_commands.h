#pragma once

#include "server/control/command_registry.h"
#include "server/control/server_control.h"

namespace tandem::control {

/// Registers the ovsdb-server/ commands (ovsdb-server(1), Runtime Management Commands) and
/// memory/show, with ovsdb-server's texts. `server` must outlive the registry.
void add_ovsdb_commands(CommandRegistry& registry, ServerControl& server);

/// The answer of sync-status, as the newest ovsdb-server words it. Of OVN's databases "state: ..."
/// comes first, where all versions of ovn-ctl find it.
std::string to_text(const SyncStatus& status);
/// The answer of tlog-list.
std::string to_text(const TableLogging& logging);

}  // namespace tandem::control
