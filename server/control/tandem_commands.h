#pragma once

#include "server/control/command_registry.h"
#include "server/control/role_control.h"

namespace tandem::control {

/// Registers the tandem/ commands: roles, positions, synchronous commits, the role lease. Each
/// answers within its own timeout, whatever the server is busy with. `server` must outlive the
/// registry.
void add_tandem_commands(CommandRegistry& registry, RoleControl& server);

}  // namespace tandem::control
