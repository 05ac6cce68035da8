#include "server/logging/file_health.h"

#include <fmt/core.h>

#include <cstring>

namespace tandem::log {

std::string FileHealth::fault() const {
  if (can_write()) return {};
  if (!is_open()) return fmt::format("{}: open failed ({})", path, std::strerror(open_error));
  if (hangs()) return fmt::format("{}: {}", path, disk_hangs_text(waiting));
  return fmt::format("{}: the last line was not written ({})", path, std::strerror(write_error));
}

}  // namespace tandem::log
