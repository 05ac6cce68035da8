#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "replication/follower_status.h"
#include "server/forwarding/forwards.h"

namespace tandem {

/// Forwards the transactions of all databases of a backup, over the connection by which it follows
/// the active. Sans-IO; one thread.
class BackupForwards {
 public:
  /// `most_bytes`: of a message to the active.
  BackupForwards(std::size_t most_bytes, ForwardsPort& port)
      : most_bytes_(most_bytes), port_(port) {}

  /// From now on that database's, too.
  std::shared_ptr<Forwards> add(const std::string& database);
  void remove(const std::string& database);
  /// How the databases follow now: that decides whether more is sent.
  void on_status(const std::map<std::string, FollowerStatus>& status);
  void on_handed_on(const std::string& database, const Height& height);
  /// False: the message has to do with something else.
  bool on_message(const JsonRpcMessage& message);
  void on_writable();
  /// Some times a second.
  void tick(std::int64_t now_ms);
  void on_disconnected(const std::string& reason);
  /// The active is followed no longer.
  void end(const std::string& reason);

 private:
  const std::size_t most_bytes_;
  ForwardsPort& port_;
  std::uint64_t added_ = 0;  // so far: no two of them use the same ids
  std::map<std::string, std::shared_ptr<Forwards>> forwards_;  // by database
};

}  // namespace tandem
