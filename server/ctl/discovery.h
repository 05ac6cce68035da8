#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace tandem::ctl {

/// A Tandem server of this host.
struct FoundServer {
  std::string name;    ///< as --target takes it: of its pidfile if it has one, else the socket
  std::string socket;  ///< that it is controlled by

  bool operator==(const FoundServer&) const = default;
};

/// What answers, or should, at the control sockets of this host.
struct Discovery {
  std::vector<FoundServer> servers;  ///< Tandem's, by name; those that hang, too
  std::vector<std::string> stock;    ///< names of Open vSwitch's own database servers
  std::vector<std::string> closed;   ///< sockets that this user may not open
};

/// Looks for servers at the control sockets (NAME.ctl, NAME.PID.ctl) in these directories. Other
/// daemons are only asked which commands they have. Waits for answers until `timeout`. Blocks.
Discovery find_servers(const std::vector<std::string>& run_directories,
                       std::chrono::milliseconds timeout);

}  // namespace tandem::ctl
