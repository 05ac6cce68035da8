#pragma once

#include "protocol/json.h"
#include "server/control/server_status.h"

namespace tandem::control {

/// Of the server as a whole.
json::object health_json(const ServerStatus& status);
/// Of the file of one database.
json::object health_json(const storage::LogHealth& health);

}  // namespace tandem::control
