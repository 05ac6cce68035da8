#pragma once

#include "ocf/agent/decision/desk.h"
#include "ocf/agent/decision/servers.h"
#include "ocf/agent/decision/tenure.h"

namespace tandem::agent {

/// Stays with an active while it has the role. It sees at once that a server died or hangs, and
/// restarts it where the role is still this node's. It grants the role on when no monitor has come
/// for three quarters of a lease: Pacemaker makes none in maintenance, none for the promoted role
/// if none is configured, and a late first one if another resource's slow action holds up the
/// transition. Ends with the role.
Task<> keep(Desk& desk, Servers& servers, Tenure& tenure);

}  // namespace tandem::agent
