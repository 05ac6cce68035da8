#pragma once

#include <map>
#include <memory>
#include <string>

#include "replication/feed.h"
#include "server/database/client_port.h"
#include "server/session/connection_port.h"

namespace tandem {

class ClientHub;

/// The databases that the peer of one session follows as a backup: replication's Feed on served
/// databases. Part of the session; on its thread.
class SessionFeeds final : private FeedPort {
 public:
  SessionFeeds(ClientHub& hub, ConnectionPort& port, SessionId session)
      : hub_(hub), port_(port), session_(session) {}

  /// Answers tandem_follow, later. The session's end must be told to the writer.
  void follow(const json::value& id, const DatabaseInfoRef& database, FollowRequest request);
  void on_writable();
  bool empty() const { return feeds_.empty(); }

 private:
  using FeedRef = std::shared_ptr<Feed>;

  void send(SharedText text) override { port_.send(std::move(text)); }
  std::size_t queued_bytes() const override { return port_.queued_bytes(); }

  void started(const json::value& id, const json::value& buckets, const Result<FeedStart>& start);
  void resume(const json::value& id, const FeedStart& start);
  /// Compares in the background.
  void compare(const json::value& id, const json::value& buckets, const FeedStart& start);
  void reply(const json::value& id, const FollowReply& reply);

  ClientHub& hub_;
  ConnectionPort& port_;
  const SessionId session_;
  std::map<std::string, FeedRef> feeds_;
};

}  // namespace tandem
