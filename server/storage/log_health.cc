#include "server/storage/log_health.h"

namespace tandem::storage {

std::string LogHealth::fault() const {
  if (can_write()) return {};
  if (failure) return failure->to_string();
  if (damage) return damage->to_string();
  return disk_hangs_text(waiting);
}

}  // namespace tandem::storage
