#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "replication/commit_gate.h"
#include "replication/stream.h"
#include "server/writer/delivery_times.h"
#include "server/writer/lock_table.h"
#include "server/writer/mailbox.h"

namespace tandem {

/// Calls to a backup's session, on its mailbox's thread.
struct FeedListener {
  std::function<void(const StreamTextRef&)> deliver;  ///< null: the database was converted
  std::function<void()> challenge;  ///< to ask the backup whether it is there: see alive()
};

/// The backups that follow one database: sessions that are told of each record, and whose
/// acknowledgements open the gate. The writer's.
class Followers {
 public:
  explicit Followers(CommitGate& gate) : gate_(gate) {}

  bool empty() const { return followers_.empty(); }
  std::size_t size() const { return followers_.size(); }
  bool contains(SessionId session) const { return followers_.contains(session); }

  /// Of a session, anew if it is one: from then on it hears what comes after that index.
  struct Newcomer {
    SessionId session;
    const FollowRequest& request;
    std::string address;  ///< of the connection
    Mailbox* mailbox;
    FeedListener listener;
    std::uint64_t index;
  };
  /// May it join? If all places are taken one may have to give way (replication/follower_places.h).
  bool has_place_for(SessionId session, const std::string& address, std::int64_t now_ms) const;
  /// Requires has_place_for(). Those of which it says that it is the same copy are challenged.
  void add(Newcomer newcomer, std::int64_t now_ms);
  /// The session is gone, or follows no longer. Nothing if it did not.
  void remove(SessionId session);
  /// The same; they are told that they have lost the thread.
  void lose(SessionId session);
  void lose_all();

  /// A record is in the log.
  void logged(std::uint64_t index, std::int64_t now_us) { times_.logged(index, now_us); }
  void tell(const StreamTextRef& text) const;
  /// A session has everything up to a position of the history. Counts how long that took.
  void acknowledge(SessionId session, const Position& position, std::int64_t now_us,
                   TimeHistogram& deliveries);
  /// The session has answered a challenge.
  void alive(SessionId session) { gate_.alive(gate_id(session)); }
  /// The position that it has acknowledged; nothing: it does not follow, or has acknowledged none.
  std::optional<Position> acknowledged(SessionId session) const {
    return gate_.acknowledged(gate_id(session));
  }

 private:
  struct Follower {
    Mailbox* mailbox;
    FeedListener listener;
    std::uint64_t delivered;  ///< index up to which deliveries have been counted
  };
  static CommitGate::Follower gate_id(SessionId session) {
    return static_cast<CommitGate::Follower>(session);
  }

  CommitGate& gate_;
  std::map<SessionId, Follower> followers_;
  DeliveryTimes times_;  ///< of what was logged while somebody followed
};

}  // namespace tandem
