#pragma once

// The costs that one client may cause. No OVN site comes near the defaults: they are there so that
// a client that errs, or means harm, is told so before others feel it.

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "protocol/error.h"

namespace tandem {

/// Bounds of each session; options of the command line set them.
struct SessionLimits {
  /// Requests under way: beyond them, or beyond `unsent_bytes`, nothing is read from the client.
  std::size_t requests = 256;
  /// Bytes of replies and updates that the client has not taken.
  std::size_t unsent_bytes = std::size_t{1} << 20;
  std::size_t monitors = 1000;
  /// Clauses in the conditions of all its monitors together.
  std::size_t clauses = 200'000;
  /// Locks that it has or awaits.
  std::size_t locks = 1000;
  /// Transactions in a "wait".
  std::size_t waits = 1000;
  /// Bytes of its monitors' ids and its locks' names; and as many again of those transactions.
  std::size_t kept_bytes = std::size_t{16} << 20;
  /// Bytes of one message.
  std::size_t message_bytes = std::size_t{256} << 20;
  /// The same until the first message was whole and valid, if no certificate says who sends it.
  std::size_t first_message_bytes = std::size_t{8} << 20;
  /// A message of more bytes is not read in one turn of its shard, but by a thread for such. No
  /// option sets it.
  std::size_t bytes_read_at_once = std::size_t{128} << 10;
};

/// Which of them was met; in the order in which status shows them.
enum class Limit : std::uint8_t {
  kRequests,
  kUnsent,
  kMonitors,
  kClauses,
  kLocks,
  kWaits,
  kKept,
  kMessageSize,
  kFirstMessageSize,
};
constexpr std::size_t kLimits = 9;

/// The option that sets it, without "--".
std::string_view option_of(Limit limit);
std::size_t value_of(const SessionLimits& limits, Limit limit);
/// "resources exhausted": what a client is told that asks for one more.
Error limit_error(const SessionLimits& limits, Limit limit);

/// Which limits one connection has met.
using LimitsMet = std::bitset<kLimits>;

/// How often limits were met, by all clients of a server. Thread-safe.
class LimitCounts {
 public:
  struct Count {
    std::uint64_t times = 0;
    std::uint64_t connections = 0;
  };
  /// `by` remembers it for the connection.
  void add(Limit limit, LimitsMet& by);
  Count of(Limit limit) const;

 private:
  struct Counter {
    std::atomic<std::uint64_t> times = 0;
    std::atomic<std::uint64_t> connections = 0;
  };
  std::array<Counter, kLimits> counters_;
};
using LimitCountsRef = std::shared_ptr<LimitCounts>;

}  // namespace tandem
