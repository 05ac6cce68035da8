#include "server/net/backoff.h"

#include <algorithm>
#include <utility>

namespace tandem::net {

Backoff::Backoff(Options options, Random random) : options_(options), random_(std::move(random)) {
  set_max_ms(options_.max_ms);
}

void Backoff::set_max_ms(std::int64_t max_ms) {
  options_.max_ms = std::max(max_ms, options_.first_ms);
  wait_ms_ = std::min(wait_ms_, options_.max_ms);
}

std::int64_t Backoff::next_wait_ms() {
  last_ms_ = wait_ms_;
  wait_ms_ = wait_ms_ == 0 ? options_.first_ms : std::min(wait_ms_ * 2, options_.max_ms);
  if (options_.jitter == 0 || !random_) return last_ms_;
  const double cut = static_cast<double>(last_ms_) * options_.jitter * random_();
  return last_ms_ - static_cast<std::int64_t>(cut);
}

void Backoff::connection_ended(std::int64_t lived_ms) {
  if (lived_ms >= std::max(last_ms_, options_.first_ms)) reset();
}

}  // namespace tandem::net
