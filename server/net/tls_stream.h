#pragma once

#include <memory>
#include <string>

#include "server/net/tls_context.h"

struct ssl_st;

namespace tandem::net {

/// TLS straight over the socket: OpenSSL reads ahead, so that a short message costs one recv and
/// one write, and idle connections hold no buffers. Belongs to one shard's thread.
class TlsStream final : public Stream, private FdListener {
 public:
  /// Takes a reference to `keys` of its own. With `bootstrap` the peer's root certificate is saved
  /// there, and the handshake fails in any case.
  TlsStream(IoShard& shard, UniqueFd fd, FdListener& listener, ssl_ctx_st* keys,
            TlsContext* bootstrap, TlsContext::Side side, std::string name);
  ~TlsStream() override;

  /// Names the server to the peer (RFC 6066 section 3), in place of the host of the target. For a
  /// client, before the handshake.
  void ask_for(const std::string& server_name);

  IoResult handshake() override;
  IoResult read(std::span<char> buffer) override;
  IoResult write(std::span<const iovec> buffers) override;
  void wait_readable() override;
  void wait_writable() override;
  void shut_down() override;
  std::string peer_id() const override;
  bool logs_failures() const override { return true; }

 private:
  void on_readable() override;
  void on_writable() override;
  void warn(const std::string& text) const;
  /// Turns OpenSSL's answer into ours; logs errors of the protocol, with `action` in front.
  IoResult failure(int answer, const char* action);
  IoResult handshake_done();
  IoResult save_root();

  FdWatcher watcher_;
  FdListener& listener_;
  TlsContext* bootstrap_;
  TlsContext::Side side_;
  std::string name_;
  ssl_st* ssl_;
  IoResult deferred_;              ///< kEnd or kFailed, met after some bytes: for the next read()
  bool read_wants_write_ = false;  ///< read() or handshake() goes on when the socket is writable
  bool writer_waits_ = false;      ///< the listener, too, waits for that
  bool open_ = false;              ///< handshake done and nothing failed since
};

}  // namespace tandem::net
