#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>

#include "server/session/connection_port.h"

namespace tandem::net {

/// What one connection is to send, in its order: texts, and sources that make texts as the socket
/// takes them. On the connection's thread.
class OutgoingQueue {
 public:
  static constexpr std::size_t kGather = 64;
  using Buffers = std::array<iovec, kGather>;

  /// A source counts as so many bytes; what it leaves is freed in turns of the shard.
  OutgoingQueue(Shard& shard, std::size_t source_bytes)
      : shard_(shard), source_bytes_(source_bytes) {}

  bool empty() const { return queue_.empty(); }
  std::size_t bytes() const { return bytes_; }
  void add(SharedText text);
  void add(std::unique_ptr<TextSource> source);
  void clear();

  /// Whether pull() comes before gather(). Requires that the queue is not empty.
  bool begins_with_source() const { return queue_.front().source != nullptr; }
  /// Puts texts from the source at the front before it. False if it had none this time.
  bool pull(std::chrono::steady_clock::time_point until);
  /// The texts at the front, as far as they have not been written.
  std::span<const iovec> gather(Buffers& buffers) const;
  /// The socket has taken so much of them.
  void drop(std::size_t bytes);

 private:
  struct Outgoing {
    SharedText text;
    std::unique_ptr<TextSource> source;  ///< unless there is a text
  };

  void pop_front();

  Shard& shard_;
  const std::size_t source_bytes_;
  std::deque<Outgoing> queue_;
  std::size_t front_written_ = 0;  ///< of queue_.front().text
  std::size_t bytes_ = 0;
};

}  // namespace tandem::net
