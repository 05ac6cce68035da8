#pragma once

// The part of a status that is about the process: who it is, what roles it had, who can reach it.

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/json/value.h"
#include "server/control/server_status.h"

namespace tandem::control {

/// `active`, `expired` or `backup`: roles that last; what is between them is none.
std::string_view role_name(RoleState role);

/// A monotonic time as the calendar had it.
std::string calendar_time_of(const ServerStatus& status, std::int64_t monotonic_ms);

OrderedJson role_changes_json(const ServerStatus& status);
OrderedJson remotes_json(const ServerStatus& status);

/// For people, a fact a line.
std::string facts_text(const ServerStatus& status);

}  // namespace tandem::control
