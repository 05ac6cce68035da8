#include "server/net/timer_wheel.h"

#include <limits>

namespace tandem::net {

void TimerWheel::set(WheelTimer& timer, std::int64_t at_ms) {
  timer.unlink();
  slots_[(at_ms + kTickMs - 1) / kTickMs * kTickMs].push_back(timer);
}

void TimerWheel::run(std::int64_t now_ms) {
  // Timers may set timers, also due ones: those wait for the next run.
  std::map<std::int64_t, Slot> due;
  while (!slots_.empty() && slots_.begin()->first <= now_ms)
    due.insert(slots_.extract(slots_.begin()));
  for (auto& [time, slot] : due) {
    while (!slot.empty()) {
      WheelTimer& timer = slot.front();
      slot.pop_front();
      timer.on_timer(now_ms);
    }
  }
}

std::int64_t TimerWheel::next_ms() const {
  return slots_.empty() ? std::numeric_limits<std::int64_t>::max() : slots_.begin()->first;
}

}  // namespace tandem::net
