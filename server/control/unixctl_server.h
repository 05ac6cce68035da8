#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "server/control/command_registry.h"

namespace tandem::control {

/// The control socket: JSON-RPC requests of ovs-appctl(8), answered by a CommandRegistry.
/// Everything runs on the executor, which must run one thing at a time; only the replies given to
/// handlers may be called from other threads. Destroying it closes the connections and removes the
/// socket; answers given later go nowhere.
class UnixctlServer {
 public:
  /// Listens on `path`; a file there that nobody listens on is replaced. Fails with ovsdb-server's
  /// text. `registry` must outlive the server.
  static Result<std::unique_ptr<UnixctlServer>> listen(const boost::asio::any_io_executor& executor,
                                                       const std::string& path,
                                                       const CommandRegistry& registry);
  ~UnixctlServer();
  UnixctlServer(const UnixctlServer&) = delete;
  UnixctlServer& operator=(const UnixctlServer&) = delete;

 private:
  struct Listener;
  explicit UnixctlServer(std::shared_ptr<Listener> listener);
  std::shared_ptr<Listener> listener_;
};

}  // namespace tandem::control
