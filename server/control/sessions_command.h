#pragma once

#include <string>
#include <vector>

#include "protocol/json/value.h"
#include "server/control/command_registry.h"
#include "server/control/role_control.h"
#include "server/session/session_facts.h"

namespace tandem::control {

/// For people: a table with a line a client, those first that owe the server most to read.
std::string sessions_text(std::vector<SessionFacts> sessions);
/// docs/operating.md describes the members.
OrderedJson sessions_json(const std::vector<SessionFacts>& sessions);

/// Adds "tandem/sessions". `server` must outlive the registry.
void add_sessions_command(CommandRegistry& registry, RoleControl& server);

}  // namespace tandem::control
