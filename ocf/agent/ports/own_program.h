#pragma once

#include <string>

namespace tandem::agent {

/// The file that this process runs. A value.
struct OwnProgram {
  std::string path;
  bool was_replaced = false;  ///< by another one of the same name, as an upgrade does
};

OwnProgram own_program();

/// Runs the keeper, in place of this process. Returns only if that fails.
void become_keeper(const OwnProgram& program);

}  // namespace tandem::agent
