#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "server/net/fd_watcher.h"

namespace tandem::net {

/// What an operation on a stream came to.
struct IoResult {
  enum class Status : std::uint8_t {
    kDone,        ///< `bytes` were moved
    kWouldBlock,  ///< nothing can be moved now: wait
    kEnd,         ///< the peer has closed
    kFailed,      ///< `error` says why
  };
  Status status = Status::kDone;
  std::size_t bytes = 0;
  std::string error;  ///< strerror's text, or the TLS library's
};

/// A byte stream over a non-blocking socket, plain (TCP, unix) or with TLS. Nothing blocks, nothing
/// calls back except after wait_*(). Belongs to one shard's thread.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Goes on with the handshake, if the stream has one; call first, and again when it would block,
  /// after on_readable().
  virtual IoResult handshake() = 0;
  /// Fewer bytes than the buffer holds mean that the socket is empty for now.
  virtual IoResult read(std::span<char> buffer) = 0;
  /// Writes a front part of `buffers`. After kWouldBlock the next call must begin with the same
  /// bytes.
  virtual IoResult write(std::span<const iovec> buffers) = 0;
  /// on_readable() of the listener follows when read() or handshake(), having blocked, is worth a
  /// call.
  virtual void wait_readable() = 0;
  virtual void wait_writable() = 0;
  /// Tells the peer that nothing follows, as far as that does not block.
  virtual void shut_down() = 0;
  /// Common name of the peer's certificate after the handshake; empty without one.
  virtual std::string peer_id() const = 0;
  /// True if failures have been logged by the stream itself.
  virtual bool logs_failures() const = 0;
};

/// TCP and unix sockets.
std::unique_ptr<Stream> make_plain_stream(IoShard& shard, UniqueFd fd, FdListener& listener);

}  // namespace tandem::net
