#pragma once

#include <map>
#include <string>
#include <utility>

#include "server/control/trouble.h"

namespace tandem::control {

/// Logs once that a trouble has begun, and once that it has ended, where nobody else does: of what
/// comes with time. (Writes and files that fail are logged where they do.)
class HealthWatch {
 public:
  void look(const ServerStatus& status);

 private:
  using Key = std::pair<Trouble::Kind, std::string>;  ///< with the subject
  std::map<Key, Trouble> known_;
};

}  // namespace tandem::control
