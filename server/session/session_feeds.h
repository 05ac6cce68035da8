#pragma once

#include <map>
#include <memory>
#include <string>

#include "replication/feed.h"
#include "server/session/comparison.h"
#include "server/session/connection_port.h"
#include "server/writer/client_port.h"

namespace tandem {

class ClientHub;
class Session;

/// The databases that the peer of one session follows as a backup: replication's Feed on served
/// databases. Part of the session; on its thread.
class SessionFeeds final : private FeedPort {
 public:
  SessionFeeds(ClientHub& hub, Session& owner, ConnectionPort& port, SessionId session)
      : hub_(hub), owner_(owner), port_(port), session_(session) {}
  ~SessionFeeds() override;
  SessionFeeds(const SessionFeeds&) = delete;
  SessionFeeds& operator=(const SessionFeeds&) = delete;

  /// Answers tandem_follow, later. The session's end must be told to the writer.
  void follow(const JsonId& id, const DatabaseInfoRef& database, FollowRequest request);
  /// Answers the request of a connection that is no peer, with the position: how far the server is
  /// decides whether a backup may follow it in another way.
  void refuse(const JsonRpcMessage& message, const DatabaseInfo& database);
  /// tandem_ack. A position that was never sent ends the connection.
  void acknowledge(const JsonRpcMessage& message, const std::string& database,
                   const Position& position);
  /// tandem_depose.
  void depose();
  /// The peer is told that it has lost the thread, and nothing more: it is none any more, or errs.
  void end();
  void on_writable();
  /// Is it a backup of that database?
  bool follows(const std::string& database) const { return feeds_.contains(database); }
  /// The peer has answered a challenge.
  void on_alive();
  bool empty() const { return feeds_.empty(); }

 private:
  using FeedRef = std::shared_ptr<Feed>;
  /// A comparison and the request that it answers.
  struct Compared {
    std::shared_ptr<Comparison> work;
    JsonId id;
    std::weak_ptr<Feed> feed;
  };

  void send(SharedText text) override { port_.send(std::move(text)); }
  void send(std::unique_ptr<TextSource> message) override { port_.send(std::move(message)); }
  std::size_t queued_bytes() const override { return port_.queued_bytes(); }

  void on_record(const std::string& database, const StreamTextRef& text);
  void started(const JsonId& id, const std::string& buckets, const Result<FeedStart>& start);
  void resume(const JsonId& id, const FeedStart& start);
  // One comparison of a session is under way; of each database one more may wait.
  void compare(const JsonId& id, const std::string& buckets, const FeedStart& start);
  void compare_next();
  void compared(std::optional<Comparison::Outcome> outcome);
  /// Of all databases, or of one.
  void cancel_comparisons(const std::string* database = nullptr);
  void reply(const JsonId& id, const FollowReply& reply);
  void reply_error(const JsonId& id, const Error& error);
  Error not_a_peer(const std::string& method) const;

  ClientHub& hub_;
  Session& owner_;
  ConnectionPort& port_;
  const SessionId session_;
  std::map<std::string, FeedRef> feeds_;
  std::optional<Compared> comparing_;
  std::map<std::string, Compared> to_compare_;  // by database
};

}  // namespace tandem
