#include "server/database/clock.h"

#include <chrono>

namespace tandem {
namespace {

template <class Unit, class ChronoClock>
std::int64_t now() {
  return std::chrono::duration_cast<Unit>(ChronoClock::now().time_since_epoch()).count();
}

}  // namespace

std::int64_t SystemClock::wall_ms() const {
  return now<std::chrono::milliseconds, std::chrono::system_clock>();
}
std::int64_t SystemClock::monotonic_ms() const {
  return now<std::chrono::milliseconds, std::chrono::steady_clock>();
}
std::int64_t SystemClock::monotonic_us() const {
  return now<std::chrono::microseconds, std::chrono::steady_clock>();
}

}  // namespace tandem
