#pragma once

#include <string>

namespace tandem::agent {

/// Why nobody could listen at this TCP port of an IP address, which the host need not have yet;
/// empty: one could, or it is not known.
std::string port_problem(const std::string& address, const std::string& port);

}  // namespace tandem::agent
