#pragma once

#include <cstdint>

#include "server/control/journal.h"
#include "server/daemon/home_timer.h"
#include "server/daemon/server.h"
#include "server/logging/event_count.h"

namespace tandem {

/// Looks again and again at how the server is, and at how often events happen. On home, from
/// start() on; the server outlives it.
class Observation {
 public:
  Observation(net::IoShard& home, Server& server)
      : server_(server), timer_(home, [this] { look(); }) {}

  /// From now on the server serves.
  void start() { look(); }
  EventRates& rates() { return rates_; }
  const control::Journal& journal() const { return journal_; }

 private:
  void look() {
    // A writer that has not answered since the last look is busy: what is known has to do.
    if (waits_) {
      journal_.look(server_.status());
    } else {
      waits_ = true;
      server_.when_refreshed([this] {
        waits_ = false;
        journal_.look(server_.status());
      });
    }
    const std::int64_t now_ms = net::IoShard::now_ms();
    if (now_ms >= sample_ms_) {
      rates_.sample();
      sample_ms_ = now_ms + EventRates::kSampleMs;
    }
    timer_.set(now_ms + control::Journal::kLookMs);
  }

  Server& server_;
  EventRates rates_;
  control::Journal journal_;
  std::int64_t sample_ms_ = 0;
  bool waits_ = false;  ///< for the writer
  HomeTimer timer_;
};

}  // namespace tandem
