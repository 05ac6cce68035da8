#include "ocf/agent/ports/own_program.h"

#include <unistd.h>

#include <filesystem>

namespace tandem::agent {

OwnProgram own_program() {
  constexpr std::string_view kDeleted = " (deleted)";
  std::error_code problem;
  OwnProgram program{std::filesystem::read_symlink("/proc/self/exe", problem).string()};
  if (!program.path.ends_with(kDeleted)) return program;
  program.path.resize(program.path.size() - kDeleted.size());
  program.was_replaced = ::access(program.path.c_str(), X_OK) == 0;
  return program;
}

void become_keeper(const OwnProgram& program) {
  ::execl(program.path.c_str(), program.path.c_str(), "keep", static_cast<char*>(nullptr));
}

}  // namespace tandem::agent
