#pragma once

#include <optional>
#include <string_view>

namespace tandem::agent {

/// Pacemaker's words for true (true, on, yes, y, 1) and false (false, off, no, n, 0), in any case,
/// to the end of the line. Nothing: it is neither.
std::optional<bool> parse_boolean(std::string_view text);

}  // namespace tandem::agent
