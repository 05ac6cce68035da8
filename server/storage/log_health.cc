#include "server/storage/log_health.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace tandem::storage {

std::string LogHealth::fault() const {
  if (can_write()) return {};
  if (failure) return failure->to_string();
  if (damage) return damage->to_string();
  return fmt::format("the disk has not answered for {}",
                     std::chrono::duration_cast<std::chrono::seconds>(waiting));
}

}  // namespace tandem::storage
