#pragma once

#include "protocol/json/value.h"
#include "server/control/server_status.h"

namespace tandem::control {

/// Of the server as a whole.
OrderedJson health_json(const ServerStatus& status);
/// Of the file of one database.
OrderedJson health_json(const storage::LogHealth& health);

}  // namespace tandem::control
