#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/error.h"

namespace tandem::storage {

/// A record that cannot be read, or that the database refuses, with whole ones behind it: no
/// unfinished write leaves that. A value.
struct Damage {
  std::uint64_t offset = 0;        ///< where the first record begins that cannot be read, or taken
  std::uint64_t bytes = 0;         ///< from there to the end of the file
  std::uint64_t record = 0;        ///< its number; the schema is 0
  std::uint64_t whole_behind = 0;  ///< records after it whose checksums are right
  Error error{};                   ///< what is wrong there
  /// Where the whole file is kept since what could not be read was cut off; empty: it was not.
  std::string kept_as{};

  /// For people.
  std::string to_string() const;

  // What outlives the process from the cut on, until the contents are whole again.
  std::string to_mark() const;
  static Damage from_mark(std::string_view text);
};

}  // namespace tandem::storage
