#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem {

/// Texts that people see are cut at so many bytes.
inline constexpr std::size_t kMostShown = 1024;

/// Appends `text`, which may come from anybody, as part of one line that a terminal takes for text:
/// control characters and what is no UTF-8 as \n, \t, \xNN; behind `most` bytes of it only how
/// many there were. What has neither is unchanged.
void append_printable(std::string& out, std::string_view text, std::size_t most = kMostShown);
std::string printable(std::string_view text, std::size_t most = kMostShown);

}  // namespace tandem
