#pragma once

#include <string>

namespace tandem {

/// The file that this process runs. A value.
struct OwnProgram {
  std::string path;
  bool is_gone = false;  ///< was removed or replaced by another one, as an upgrade does
};

/// Any thread; waits for no disk.
OwnProgram own_program();

}  // namespace tandem
