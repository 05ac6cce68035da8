#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/error.h"
#include "server/posix/directories.h"

namespace tandem::tool {

/// A command line of tandem-tool, read. Plain data.
struct Invocation {
  /// What the options ask for before any command.
  enum class Action { kCommand, kHelp, kVersion, kListOptions };
  Action action = Action::kCommand;

  std::string program;  ///< as it was called, without folders: messages begin with it
  Directories directories;
  unsigned more = 0;      ///< how often -m was given
  std::string rbac_role;  ///< empty: everything is allowed

  std::vector<std::string> log_specs;   ///< arguments of -v, in order; a bare -v is empty
  std::optional<std::string> log_file;  ///< as given; empty: the default name
  std::optional<std::string> syslog_method;
  std::optional<std::string> syslog_target;

  std::string command;
  std::vector<std::string> arguments;

  /// Argument number `i`, or the file that Open vSwitch has by default.
  std::string database(std::size_t i) const;
  std::string schema(std::size_t i) const;
};

/// Reads a command line as getopt_long(3) does, which prints what is wrong with an option: nothing
/// is returned then. Without a command the name is empty. Not thread-safe.
std::optional<Invocation> parse_invocation(int argc, char** argv, const Directories& directories);

/// What --help and --option print.
std::string usage(const Directories& directories);
std::string list_options();

}  // namespace tandem::tool
