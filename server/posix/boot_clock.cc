#include "server/posix/boot_clock.h"

#include <time.h>

namespace tandem {

std::int64_t since_boot_ms() { return since_boot_us() / 1000; }

std::int64_t since_boot_us() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace tandem
