#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/storage/file_system.h"
#include "server/tool/invocation.h"

namespace tandem::tool {

/// Exit statuses of ovsdb-tool(1). An error gives EXIT_FAILURE.
inline constexpr int kDone = 0;
inline constexpr int kNo = 2;  ///< the answer of a command that tests something

/// What a command works with. Lives as long as the program runs.
struct Environment {
  const Invocation& invocation;
  storage::FileSystem& files;
  const Clock& clock;
  std::ostream& out;
};

/// One command of the command line. Errors are for "PROGRAM: TEXT".
struct Command {
  using Run = Result<int> (*)(const Environment&);
  std::string_view name;
  std::string_view arguments;  ///< for list-commands
  std::size_t least;           ///< arguments
  std::size_t most;
  Run run;
};

/// An error whose whole text is for the user.
Error user_error(std::string text);

/// Finds the command, checks the number of its arguments and runs it.
Result<int> run_command(const Environment& environment);

/// All commands, in the order of list-commands.
std::span<const Command> command_table();

// The commands.

Result<int> create(const Environment& environment);
Result<int> compact(const Environment& environment);
Result<int> convert(const Environment& environment);
Result<int> query(const Environment& environment);
Result<int> transact(const Environment& environment);
Result<int> check(const Environment& environment);
Result<int> salvage(const Environment& environment);
Result<int> position(const Environment& environment);
Result<int> show_log(const Environment& environment);
Result<int> divergences(const Environment& environment);
Result<int> compare_versions(const Environment& environment);

}  // namespace tandem::tool
