#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "protocol/error.h"

namespace tandem::ctl {

/// The answer of a command.
struct Answer {
  std::string text;
  bool is_error = false;  ///< the server refused, and `text` says why
};

/// Runs a command on the server behind a control socket and waits for its answer, connecting
/// included, until `timeout`. Fails if the server cannot be reached or does not answer. Blocks.
Result<Answer> run_command(const std::string& socket, const std::string& command,
                           const std::vector<std::string>& arguments,
                           std::chrono::milliseconds timeout);

}  // namespace tandem::ctl
