#pragma once

#include <cstdint>
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
class Connector final : private FdListener, private WheelTimer {
 public:
  /// A connected, non-blocking socket, or none and why. May destroy the connector.
  using OnDone = std::function<void(UniqueFd, const std::string& error)>;

  Connector(IoShard& shard, Target target, std::optional<int> dscp, OnDone on_done);

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
  void done(UniqueFd fd, const std::string& error);

  IoShard& shard_;
  Target target_;
  std::optional<int> dscp_;
  OnDone on_done_;
  std::optional<NameLookup> lookup_;
  std::unique_ptr<FdWatcher> watcher_;  ///< while the kernel connects
  std::int64_t deadline_ms_ = 0;
};

}  // namespace tandem::net
