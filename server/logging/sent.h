#pragma once

#include <cstdint>

namespace tandem::log {

/// The fate of a line.
enum class Sent : std::uint8_t {
  kYes,
  kLost,    ///< whoever is there did not take it
  kNobody,  ///< nobody is there, nor was before
};

}  // namespace tandem::log
