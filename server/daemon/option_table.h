#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/daemon/options.h"

namespace tandem {

/// One option of the command line.
struct OptionEntry {
  enum class Argument : std::uint8_t { kNone, kRequired, kOptional };
  /// Stores the argument; nothing on success, otherwise what is wrong with it.
  using Set = std::optional<std::string> (*)(Options&, const std::optional<std::string>& argument,
                                             const Directories&);
  std::string_view name;
  char letter;  ///< of the short form, or 0
  Argument argument;
  bool own;  ///< unknown to ovsdb-server 3.1
  Set set;
};

/// All options, ovsdb-server's in the order in which it lists ambiguous ones.
std::span<const OptionEntry> option_table();

}  // namespace tandem
