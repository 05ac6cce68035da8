#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/target.h"
#include "replication/follower_status.h"
#include "server/net/client_connection.h"
#include "server/posix/mutex.h"
#include "server/writer/database_server.h"

namespace tandem {

/// Whom a backup follows, and what it leaves out.
struct BackupSource {
  std::optional<std::set<std::string>> databases;         ///< that follow it; nothing: all
  std::vector<Target> targets;                            ///< of the active; tried in turn
  std::map<std::string, std::set<std::string>> excluded;  ///< tables by database
  std::int64_t probe_ms = 10'000;                         ///< 0: no probes
  std::string node;                    ///< that this server says it is on; empty: not known
  Epoch least_epoch{};                 ///< an active of an older one is not followed
  bool adopt_schemas = false;          ///< take the active's schema over when it has more
  std::size_t most_message_bytes = 0;  ///< of what clients' writes come to
  bool forward_writes = false;         ///< the active executes what clients write here
  bool operator==(const BackupSource&) const = default;
};

/// The backup role: one connection to the active and a follower for each database. All of it lives
/// on one shard, the replication thread; the public calls may come from any thread and only post.
/// Does not decide roles: whoever calls follow() has made the databases backups, and whoever calls
/// stop() makes them active when it is done.
class BackupService final : private CommitObserver {
 public:
  BackupService(DatabaseServer& server, net::IoShard& shard, net::TlsContext& tls);
  ~BackupService() override;

  /// Drops what it follows now and follows `source`, at once. `settled` runs on the shard when the
  /// first attempt has shown something: contact, refusal or failure; or after half a second.
  void follow(BackupSource source, Task settled);
  /// Tells the one that is followed that another server is being made active.
  void depose_active();
  /// Applies what has arrived, and closes the connection, for that reason. `done` runs on the
  /// writer, after the last commit.
  void stop(const std::string& reason, Task done);

  /// By database; empty when nothing is followed. Any thread.
  std::map<std::string, FollowerStatus> status() const;
  /// Text of the last failure to connect. Any thread.
  std::string connection_error() const;

 private:
  class Following;
  void on_logged(const ServedDatabase&, const CommitRef&) override {}
  void on_databases_changed() override;
  void end_following(const std::string& reason, Task done);
  /// Tells the server whether the one that is followed is an active one.
  void note_active(bool known);

  DatabaseServer& server_;
  net::IoShard& shard_;
  net::TlsContext& tls_;
  std::shared_ptr<Following> following_;         // shard only
  std::vector<Task> after_end_;                  // of the one that is being closed; shard only
  bool knows_active_ = false;                    // shard only
  std::uint64_t changes_ = 0;                    // of what is wanted; shard only
  std::map<std::string, std::string> findings_;  // of schemas, by database; shard only

  mutable Mutex mutex_;
  std::map<std::string, FollowerStatus> status_ GUARDED_BY(mutex_);
  std::string connection_error_ GUARDED_BY(mutex_);
};

}  // namespace tandem
