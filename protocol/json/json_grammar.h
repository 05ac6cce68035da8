#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

/// The parts of a JSON value that may come next in its text.
enum class JsonExpected : std::uint8_t {
  kStart,         ///< the outermost value
  kFirstKey,      ///< a member's name or '}'
  kKey,           ///< a member's name
  kColon,         ///< ':'
  kMemberValue,   ///< a member's value
  kFirstElement,  ///< a value or ']'
  kElement,       ///< a value
  kMemberEnd,     ///< '}' or ','
  kElementEnd,    ///< ']' or ','
  kEnd,           ///< nothing
};

/// Arrays and objects within each other.
constexpr std::size_t kMostJsonDepth = 1000;

}  // namespace tandem
