#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/daemon/options.h"

namespace tandem {

/// Where --help shows an option; in this order.
enum class OptionGroup : std::uint8_t {
  kRemotes,
  kConnections,
  kTls,
  kDaemon,
  kLogging,
  kReplication,
  kCompaction,
  kLimits,
  kOther,
  kHidden,  ///< nowhere: accepted for scripts' sake, or refused
};

/// One option of the command line: all that the parser and --help know of it.
struct OptionEntry {
  enum class Argument : std::uint8_t { kNone, kRequired, kOptional };
  /// Stores the argument; nothing on success, otherwise what is wrong with it.
  using Set = std::optional<std::string> (*)(Options&, const std::optional<std::string>& argument,
                                             const Directories&);
  /// The default as text; `options` are those of an empty command line.
  using Default = std::string (*)(Options& options, const Directories&);

  OptionGroup group;
  std::string_view name;
  char letter;                ///< of the short form, or 0
  std::string_view argument;  ///< "=FILE"; "[=FILE]": may be left out; "": there is none
  std::string_view help;
  Set set;
  bool own = false;  ///< unknown to ovsdb-server 3.1
  Default shown_default = nullptr;

  constexpr Argument takes() const {
    if (argument.empty()) return Argument::kNone;
    return argument.front() == '[' ? Argument::kOptional : Argument::kRequired;
  }
};

/// All options, ovsdb-server's in the order in which it lists ambiguous ones.
std::span<const OptionEntry> option_table();

}  // namespace tandem
