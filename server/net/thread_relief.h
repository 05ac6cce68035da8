#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <utility>
#include <vector>

#include "server/net/io_shard.h"

namespace tandem::net {

/// Sees to it that I/O threads go on while a task that they lent their thread to is blocked. Looks
/// at them from time to time, but only while such tasks come. Lives on home's thread, which is
/// never blocked; outlives the shards' threads.
class ThreadRelief {
 public:
  explicit ThreadRelief(IoShard& home) : home_(home), timer_(home.context()) {}

  /// Before the shard is started. It must outlive this.
  void watch(IoShard& shard);
  /// Calls this, too, each time it looks, until it returns false. Before the first shard is
  /// started.
  void watch(std::function<bool()> look) { also_ = std::move(look); }
  /// A task begins for which a shard lends its thread. Any thread.
  void lent() {
    if (!awake_.load() && !awake_.exchange(true)) home_.post([this] { look_later(); });
  }

 private:
  void look_later();
  void look();

  struct Watched {
    IoShard* shard;
    std::uint64_t tasks;  ///< so many had begun when it was last looked at
  };
  IoShard& home_;
  boost::asio::steady_timer timer_;
  std::vector<Watched> watched_;
  std::function<bool()> also_ = [] { return false; };
  std::atomic<bool> awake_ = false;
};

}  // namespace tandem::net
