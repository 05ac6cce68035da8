#pragma once

#include <cstddef>
#include <string_view>

namespace tandem {

/// Writes to a descriptor that other processes may have as well, such as stderr, as much of `text`
/// as goes at once, and returns how many bytes went. Never waits for whoever reads at the other
/// end, and leaves the flags of the descriptor's description, which all share, alone. A regular
/// file is written to as always. errno is EAGAIN if the reader was too slow.
std::size_t write_at_once(int fd, std::string_view text);

}  // namespace tandem
