#pragma once

#include <string>
#include <vector>

#include "protocol/error.h"

namespace tandem::ctl {

/// Finds the control socket of a running server from what the user calls it (ovs-appctl(8),
/// --target): the path of a socket, the path of a pidfile, or a name whose pidfile is in one of
/// `run_directories`. Fails with what is missing.
Result<std::string> find_control_socket(const std::string& target,
                                        const std::vector<std::string>& run_directories);

}  // namespace tandem::ctl
