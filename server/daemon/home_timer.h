#pragma once

#include <functional>
#include <utility>

#include "server/net/io_shard.h"

namespace tandem {

/// Calls a function at a time on the home thread; again each time it is set. Not set when made.
class HomeTimer final : private net::WheelTimer {
 public:
  HomeTimer(net::IoShard& home, std::function<void()> expired)
      : home_(home), expired_(std::move(expired)) {}

  /// In place of an earlier setting.
  void set(std::int64_t at_ms) {
    cancel_timer();
    home_.set_timer(*this, at_ms);
  }
  void cancel() { cancel_timer(); }

 private:
  void on_timer(std::int64_t /*now_ms*/) override { expired_(); }

  net::IoShard& home_;
  std::function<void()> expired_;
};

}  // namespace tandem
