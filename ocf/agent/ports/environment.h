#pragma once

#include <optional>
#include <string>

#include "ocf/agent/decision/order.h"
#include "ocf/agent/ports/parameters.h"

namespace tandem::agent {

/// Where things are on this node. A value.
struct Places {
  std::string ovn_ctl;
  std::string run_directory;
  std::string server_directory;  ///< with our ovsdb-server; empty: that on PATH
  std::string state;             ///< path of the state files, up to their ending
};

struct Environment {
  Order order;
  Places places;
  std::optional<Refusal> refusal;  ///< of the parameters: a start, a reload and validate-all say it
};

/// Reads OCF's environment: the order, the parameters and where things are. Nothing if the action
/// is none.
std::optional<Environment> read_environment(const std::string& action);

}  // namespace tandem::agent
