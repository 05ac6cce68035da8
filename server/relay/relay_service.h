#pragma once

#include <map>
#include <memory>
#include <string>

#include "replication/follower_status.h"
#include "server/net/client_connection.h"
#include "server/posix/mutex.h"
#include "server/relay/relay_source.h"
#include "server/writer/database_server.h"

namespace tandem {

/// The relays of this server: each is a database that copies one of another server, over a
/// connection of its own, by which what clients write is forwarded. All of it lives on one shard;
/// the public calls may come from any thread.
class RelayService {
 public:
  RelayService(DatabaseServer& server, net::IoShard& shard, net::TlsContext& tls);
  ~RelayService();

  /// On the writer: serves a relay. Errors as DatabaseServer::add().
  Result<void> add(const std::string& database, const RelaySource& source);
  /// Ends what a database has to do with its source; on the writer, before it is removed.
  void remove(const std::string& database);
  /// For all that there are, and those to come.
  void set_probe_ms(std::int64_t probe_ms);
  /// Closes all connections; then `done` runs on the shard.
  void stop(Task done);

  struct Status {
    std::string source;  ///< as given
    std::string connected_to;
    FollowerStatus link;
    std::string connection_error;
  };
  /// By database.
  std::map<std::string, Status> status() const;

 private:
  class Relay;

  DatabaseServer& server_;
  net::IoShard& shard_;
  net::TlsContext& tls_;
  std::map<std::string, std::shared_ptr<Relay>> relays_;  // shard only

  mutable Mutex mutex_;
  std::map<std::string, Status> status_ GUARDED_BY(mutex_);
};

}  // namespace tandem
