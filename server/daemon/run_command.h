#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "protocol/error.h"

namespace tandem {

/// The command of --run (ovsdb-server(1)): a shell that runs while the server serves, with its
/// output.
class RunCommand {
 public:
  /// Starts it.
  static Result<RunCommand> start(const std::string& command);

  /// Looks whether it has ended; to be called after SIGCHLD.
  bool ended();
  /// Nothing if it ended with status 0, otherwise what to tell. Requires ended().
  std::optional<Error> failure() const;

 private:
  RunCommand(std::string command, pid_t pid) : command_(std::move(command)), pid_(pid) {}

  std::string command_;
  pid_t pid_;
  int status_ = 0;
};

}  // namespace tandem
