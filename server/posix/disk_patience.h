#pragma once

#include <chrono>
#include <string>

namespace tandem {

/// A disk that takes longer than this for a write counts as one that hangs.
inline constexpr std::chrono::seconds kDiskPatience{5};

/// Says that it does, for people.
std::string disk_hangs_text(std::chrono::milliseconds waiting);

}  // namespace tandem
