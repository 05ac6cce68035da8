#pragma once

#include <map>
#include <memory>
#include <string>

#include "replication/follower_status.h"
#include "server/forwarding/forwards.h"

namespace tandem {

/// What a backup forwards: the transactions of all its databases, over the connection by which it
/// follows the active. Sans-IO; one thread.
class BackupForwards {
 public:
  explicit BackupForwards(ForwardsPort& port) : port_(port) {}

  /// From now on that database's, too.
  std::shared_ptr<Forwards> add(const std::string& database);
  void remove(const std::string& database);
  /// How the databases follow now: that decides whether more is sent.
  void on_status(const std::map<std::string, FollowerStatus>& status);
  void on_handed_on(const std::string& database, const Height& height);
  /// False: the message has to do with something else.
  bool on_message(const JsonRpcMessage& message);
  void on_disconnected(const std::string& reason);
  /// The active is followed no longer.
  void end(const std::string& reason);

 private:
  ForwardsPort& port_;
  std::map<std::string, std::shared_ptr<Forwards>> forwards_;  // by database
};

}  // namespace tandem
