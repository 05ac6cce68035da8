#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/jsonrpc.h"
#include "replication/follower.h"

namespace tandem {

/// What the link asks of the thread that carries it.
class ActiveLinkPort {
 public:
  virtual ~ActiveLinkPort() = default;
  virtual void send(std::string text) = 0;
  /// Closes the connection; a new one is made after a backoff.
  virtual void restart(const std::string& reason) = 0;
  virtual std::int64_t monotonic_ms() const = 0;
  virtual void changed() = 0;
  /// Stream: the replica has all records up to this one, or has been handed them: what goes the
  /// same way from now on comes after them.
  virtual void handed_on(const std::string& /*database*/, const Height& /*height*/) {}
  virtual void log_info(const std::string& text) = 0;
  virtual void log_warn(const std::string& text) = 0;
  /// What a comparison of schemas showed; logged when it is news.
  virtual void log_finding(const std::string& database, const std::string& finding) = 0;
};

/// A backup's connection to its active, shared by the followers of all databases: finds out who the
/// active is and what it serves, hands each follower its replies and updates. Sans-IO; one thread.
/// Asks in the order in which ovsdb-server's backups do: get_server_id, list_dbs, then the
/// followers' requests.
class ActiveLink {
 public:
  ActiveLink(BackupIdentity identity, ActiveLinkPort& port);
  ~ActiveLink();

  /// Databases may be added and removed while connected.
  void add(const std::string& database, Replica& replica);
  void remove(const std::string& database);

  void on_connected();
  void on_disconnected(const std::string& reason);
  void on_message(const JsonRpcMessage& message);

  /// Tells the active that another server is being made active, if it is one that understands.
  void depose();
  /// About once a second: what was refused is tried again after a while.
  void tick();

  std::map<std::string, FollowerStatus> status() const;

 private:
  class Lane;
  enum class State : std::uint8_t {
    kDisconnected,  ///< no connection
    kServerId,      ///< waiting for the reply to get_server_id
    kDatabases,     ///< waiting for the reply to list_dbs
    kFollowing,     ///< the followers are at work
    kRefused,       ///< the active cannot be followed at all; the connection stays until it closes
  };

  static constexpr std::int64_t kRetryRefusedMs = 10'000;

  void on_notification(const JsonRpcMessage& message);
  void on_reply(const JsonRpcMessage& reply);
  void on_own_reply(const JsonRpcMessage& reply);
  void refuse(const std::string& reason);
  bool served(const std::string& database) const;

  static constexpr std::uint64_t kNobodysAttempt = UINT64_MAX;
  struct Pending {
    std::string database;  ///< empty: the link's own request
    int tag = 0;
    std::uint64_t attempt = 0;  ///< of the database's follower
  };
  void request(std::string_view method, std::string_view params, Pending pending);

  const BackupIdentity identity_;
  ActiveLinkPort& port_;
  State state_ = State::kDisconnected;
  std::int64_t refused_ms_ = 0;  // when the whole link was
  std::int64_t next_request_ = 0;
  std::map<JsonId, Pending> pending_;   // requests without reply, by id
  std::vector<std::string> databases_;  // of the active
  std::map<std::string, std::unique_ptr<Lane>> lanes_;
};

}  // namespace tandem
