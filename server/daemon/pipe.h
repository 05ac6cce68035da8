#pragma once

#include "server/posix/unique_fd.h"

namespace tandem {

/// An anonymous pipe between a process and one that it forks. Ends the program if it cannot be had:
/// only start-up and the monitor make pipes.
struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;

  Pipe();
  /// Waits for one byte, or for the end: true if a byte came. Signals do not end the wait.
  bool wait_for_byte() const;
};

}  // namespace tandem
