#pragma once

#include <string>
#include <vector>

#include "server/ctl/invocation.h"

namespace tandem::ctl {

/// The result of a command line.
struct Report {
  std::string output;
  std::string errors;   ///< for the standard error output
  int exit_status = 0;  ///< as `usage()` describes it
};

/// An error in place of an answer.
Report failed(const Error& error, int exit_status);

/// Asks the servers that the command line is about. `colours`: the output goes to a terminal.
/// Blocks until all have answered or the time is over.
Report carry_out(const Invocation& invocation, const std::vector<std::string>& run_directories,
                 bool colours);

}  // namespace tandem::ctl
