#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/control/server_status.h"

namespace tandem {

/// Remembers which roles a server had, and since when. What lasts for a moment, a promotion under
/// way or a drain, is not a role. Lives with RoleHost.
class RoleLog {
 public:
  static constexpr std::size_t kMost = 8;

  /// The server is in this state now.
  void note(RoleState state, std::int64_t now_ms) {
    if (state == RoleState::kPromoting || state == RoleState::kDraining) return;
    if (!changes_.empty() && changes_.front().role == state) return;
    changes_.insert(changes_.begin(), control::RoleNote{state, now_ms});
    if (changes_.size() > kMost) changes_.pop_back();
  }

  /// The newest first.
  const std::vector<control::RoleNote>& changes() const { return changes_; }

 private:
  std::vector<control::RoleNote> changes_;
};

}  // namespace tandem
