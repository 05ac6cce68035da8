#pragma once

#include <set>
#include <string>

#include "server/control/server_status.h"

namespace tandem::control {

/// Logs once that the disk of a database hangs, and once that it answers again. (Writes that fail
/// are logged where they do.)
class DiskWatch {
 public:
  void look(const ServerStatus& status);

 private:
  std::set<std::string> hanging_;  ///< databases
};

}  // namespace tandem::control
