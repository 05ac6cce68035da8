#include "server/base/clock.h"

#include <chrono>

#include "server/posix/boot_clock.h"

namespace tandem {

std::int64_t SystemClock::wall_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::monotonic_ms() const { return since_boot_ms(); }
std::int64_t SystemClock::monotonic_us() const { return since_boot_us(); }

}  // namespace tandem
