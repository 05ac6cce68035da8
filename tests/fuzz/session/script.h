#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem::fuzz {

/// One command of a script: what is done, by which client, and how. All have the same size, so that
/// an input that is cut, spliced or changed somewhere stays the same script elsewhere.
struct Command {
  static constexpr std::size_t kBytes = 6;

  explicit Command(std::span<const std::uint8_t, kBytes> bytes)
      : op(bytes[0] & 0x7fU),
        leaves_tasks(bytes[0] >= 0x80),
        client(bytes[1]),
        a(bytes[2]),
        b(bytes[3]),
        c(bytes[4]),
        d(bytes[5]) {}

  unsigned op;
  bool leaves_tasks;  ///< what it has posted runs only after the next command
  unsigned client;
  unsigned a, b, c, d;
};

}  // namespace tandem::fuzz
