#pragma once

#include <string>

#include "server/control/server_status.h"

namespace tandem::control {

/// What the log says when the server begins to serve, in one line: who it is, its role, its
/// databases, who can reach it, and the settings that change what it does.
std::string start_text(const ServerStatus& status);

}  // namespace tandem::control
