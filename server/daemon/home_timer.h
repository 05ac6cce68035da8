#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "server/net/io_shard.h"

namespace tandem {

/// Calls a function at a time on the home thread; again each time it is set. Not set when made. To
/// the millisecond, other than the timers of connections: replies say how long a "wait" took.
class HomeTimer final {
 public:
  HomeTimer(net::IoShard& home, std::function<void()> expired)
      : home_(home), timer_(home.context()), expired_(std::move(expired)) {}

  /// In place of an earlier setting.
  void set(std::int64_t at_ms) {
    timer_.expires_after(std::chrono::milliseconds(at_ms - net::IoShard::now_ms()));
    timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
          if (!error && !alive.expired()) home_.run_turn(expired_);
        });
  }
  void cancel() { timer_.cancel(); }

 private:
  net::IoShard& home_;
  boost::asio::steady_timer timer_;
  std::function<void()> expired_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // a call may be on its way
};

}  // namespace tandem
