#include "server/net/probe.h"

#include <algorithm>
#include <limits>

namespace tandem::net {

void Probe::heard(std::int64_t now_ms) {
  heard_ms_ = now_ms;
  state_ = State::kActive;
}

void Probe::set_interval(std::int64_t interval_ms) {
  interval_ms_ = std::min(interval_ms, kLongestMs);
}

std::int64_t Probe::deadline_ms() const {
  if (interval_ms_ <= 0) return std::numeric_limits<std::int64_t>::max();
  switch (state_) {
    case State::kActive:
      return heard_ms_ + interval_ms_;
    case State::kIdle:
      return asked_ms_ + interval_ms_;
  }
  return 0;
}

Probe::Action Probe::check(std::int64_t now_ms) {
  if (now_ms < deadline_ms()) return Action::kNone;
  switch (state_) {
    case State::kActive:
      state_ = State::kIdle;
      asked_ms_ = now_ms;
      return Action::kSendEcho;
    case State::kIdle:
      return Action::kDisconnect;
  }
  return Action::kNone;
}

}  // namespace tandem::net
