#include "server/database/clock.h"

#include <time.h>

#include <chrono>

namespace tandem {
namespace {

timespec since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now;
}

}  // namespace

std::int64_t since_boot_ms() {
  const timespec now = since_boot();
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::int64_t SystemClock::wall_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::monotonic_ms() const { return since_boot_ms(); }
std::int64_t SystemClock::monotonic_us() const {
  const timespec now = since_boot();
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace tandem
