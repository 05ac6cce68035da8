#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/control/server_status.h"

namespace tandem {

/// Remembers which roles a server had, and since when. What lasts for a moment, a promotion under
/// way or a drain, is not a role. Lives with RoleHost.
class RoleLog {
 public:
  static constexpr std::size_t kMost = 8;

  /// The server is in this state now. True if that is another role than before.
  bool note(RoleState state, std::int64_t now_ms);

  /// The newest first.
  const std::vector<control::RoleNote>& changes() const { return changes_; }

  /// For the server that the monitor process starts after a crash: a text "TIME ROLE" each.
  std::vector<std::string> to_texts() const;
  void resume(const std::vector<std::string>& texts);

 private:
  std::vector<control::RoleNote> changes_;
};

}  // namespace tandem
