#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "server/net/client_connection.h"
#include "server/net/connection.h"
#include "server/net/listener.h"
#include "server/net/remote_options.h"

namespace tandem::net {

/// What all remotes of a server share.
struct RemoteContext {
  IoShard& home;  ///< the thread of the remotes themselves, and of the listeners
  std::function<IoShard&()> next_shard;  ///< where the next connection is to live
  TlsContext& tls;
  HandlerFactory make_handler;
  ConnectionLimits limits;        ///< of every connection
  std::function<void()> on_idle;  ///< a remote has no connection any more; on home
};

/// One configured remote of either kind and its connections. Lives on the home thread; its
/// connections live on shards. May be destroyed when it is idle, or after home and shards have
/// stopped.
class Remote {
 public:
  Remote(const RemoteContext& context, RemoteSpec spec);
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  /// Listens or begins to connect; on return a listener listens or has logged why not.
  void open();
  /// Takes effect on connections that are there, too; but not the DSCP.
  void reconfigure(const RemoteOptions& options);
  /// An address has appeared on this host.
  void retry_listening();
  /// Closes the connections; active remotes connect again.
  void disconnect(const std::string& reason);
  /// Stops listening and connecting and closes the connections.
  void close(const std::string& reason);
  /// True when nothing of it is left on any shard.
  bool is_idle() const { return connections_.empty() && client_ == nullptr; }

  const RemoteOptions& options() const { return spec_.options; }
  RemoteStatus status(std::int64_t now_ms) const;

 private:
  void accept(UniqueFd fd, std::string name);
  void forget(std::uint64_t id);
  void connect();
  std::int64_t probe_ms() const;
  RemoteStatus passive_status() const;
  RemoteStatus active_status(std::int64_t now_ms) const;

  const RemoteContext& context_;
  RemoteSpec spec_;

  // Passive.
  std::unique_ptr<Listener> listener_;
  std::uint64_t next_id_ = 0;
  /// Shared only with tasks on their way to the shard: destroyed here.
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;

  // Active.
  IoShard* client_shard_ = nullptr;
  std::shared_ptr<ClientConnection> client_;
  ClientStatus client_status_;  ///< as last reported
};

}  // namespace tandem::net
