#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/target.h"
#include "server/net/fd_watcher.h"
#include "server/net/io_shard.h"
#include "server/net/name_lookup.h"

namespace tandem::net {

/// One attempt to connect to an active target (tcp, ssl, unix). Destroying it gives up. Belongs to
/// the shard's thread.
///
/// The kernel sends a lost request again after a second. Who waits for an address that moves
/// between hosts asks for more: every `resend_ms`, and a tenth of the time that has passed, another
/// socket tries beside the last seven; the first that connects is taken.
class Connector final : private FdListener, private WheelTimer {
 public:
  /// A connected, non-blocking socket, or none and why. May destroy the connector.
  using OnDone = std::function<void(UniqueFd, const std::string& error)>;

  /// `resend_ms`: 0 leaves it to the kernel.
  Connector(IoShard& shard, Target target, std::optional<int> dscp, std::int64_t resend_ms,
            OnDone on_done);

  /// Begins; failure after `timeout_ms` at the latest. May call on_done before it returns.
  void start(std::int64_t timeout_ms);

 private:
  void on_readable() override {}
  void on_writable() override;
  void on_timer(std::int64_t now_ms) override;

  void go_on();
  void connect_ip(const SocketAddress& address);
  void connect_unix_file();
  void wait_for(UniqueFd fd);
  void set_timer();
  void done(UniqueFd fd, const std::string& error);

  IoShard& shard_;
  Target target_;
  std::optional<int> dscp_;
  std::int64_t resend_ms_;
  OnDone on_done_;
  std::optional<NameLookup> lookup_;
  std::deque<std::unique_ptr<FdWatcher>> watchers_;  ///< while the kernel connects; oldest first
  std::int64_t start_ms_ = 0;
  std::int64_t deadline_ms_ = 0;
};

}  // namespace tandem::net
