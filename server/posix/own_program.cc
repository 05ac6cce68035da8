#include "server/posix/own_program.h"

#include <filesystem>
#include <string_view>
#include <system_error>

namespace tandem {

OwnProgram own_program() {
  constexpr std::string_view kDeleted = " (deleted)";
  std::error_code problem;
  OwnProgram program{std::filesystem::read_symlink("/proc/self/exe", problem).string()};
  program.is_gone = program.path.ends_with(kDeleted);
  if (program.is_gone) program.path.resize(program.path.size() - kDeleted.size());
  return program;
}

}  // namespace tandem
