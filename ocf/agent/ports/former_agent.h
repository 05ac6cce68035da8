#pragma once

#include <string>

namespace tandem::agent {

/// Takes over from the agent that was a shell script, whose files begin with the same path: ends
/// its process that grants the role on, and removes what it remembers. Returns whether it had
/// started the servers.
bool take_over_former_agent(const std::string& state);

}  // namespace tandem::agent
