#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/net/address_watch.h"
#include "server/net/io_shard.h"
#include "server/net/remote.h"
#include "server/net/remote_options.h"
#include "server/net/tls_context.h"

namespace tandem::net {

/// The remotes of a server: follows a configuration that may change at any time, and spreads the
/// connections over the shards, one after the other. Lives on the home thread (which may be one of
/// the shards, or have no connections): call it there, or before home starts. Destroy it after home
/// and shards have stopped, or after shut_down() is done.
class RemoteManager final : private Deferred {
 public:
  /// `make_handler` runs on the shard of the connection it is for.
  RemoteManager(IoShard& home, std::vector<IoShard*> shards, TlsContext& tls,
                HandlerFactory make_handler, ConnectionLimits limits = {});
  ~RemoteManager() override;

  /// Makes the set of remotes this one: what is new is opened, what is missing closed, and what is
  /// there keeps its connections with the options as they are now. Of two with the same target the
  /// last counts. On return all listeners listen or have logged why not.
  void configure(const std::vector<RemoteSpec>& remotes);
  /// In order of targets.
  std::vector<RemoteStatus> statuses() const;
  /// Closes all connections; listeners stay, active remotes connect again.
  void disconnect_all(const std::string& reason);
  /// Closes everything; `done` follows on home, when the last handler is gone.
  void shut_down(const std::string& reason, Task done);

 private:
  void run_deferred() override;
  void retire(std::map<std::string, std::unique_ptr<Remote>>::iterator remote,
              const std::string& reason);

  RemoteContext context_;
  std::vector<IoShard*> shards_;
  std::size_t next_shard_ = 0;
  std::map<std::string, std::unique_ptr<Remote>> remotes_;  ///< by target
  std::vector<std::unique_ptr<Remote>> retired_;  ///< closed; until their connections have gone
  AddressWatch address_watch_;
  Task shut_down_done_;
};

}  // namespace tandem::net
