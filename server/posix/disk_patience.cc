#include "server/posix/disk_patience.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace tandem {

std::string disk_hangs_text(std::chrono::milliseconds waiting) {
  return fmt::format("the disk has not answered for {}",
                     std::chrono::duration_cast<std::chrono::seconds>(waiting));
}

}  // namespace tandem
