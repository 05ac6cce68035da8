#pragma once

#include "ocf/agent/decision/desk.h"

namespace tandem::agent {

/// Makes the Connection row of an active server what the parameters say, and writes only what
/// differs. Rows of other targets are left alone, except one that the agent wrote for an older
/// target, or the only one there is. False: it could not.
Task<bool> set_connection_row(Desk& desk, Which which);

}  // namespace tandem::agent
