#pragma once

// Synchronous commit. A commit is in the log and on its way to the backups; the gate says when
// clients may learn of it: once N backups have acknowledged its position. Only backups that keep up
// count, and of them the first N in order: so the gates of two servers on one host (Northbound and
// Southbound) wait for the same backups, and a backup exists that has everything that was
// acknowledged in either. A backup that lets a commit wait for the whole timeout no longer keeps
// up, until it has caught up with the newest record; the next in order takes its place.
//
// Connections that acknowledge count; what a client says of itself takes nothing from others.
//
// - A newcomer that says it is the copy of another connection (the same server id, or the same file
//   on a host of the same name) may be that copy, come back before the end of its last connection
//   was seen. Until the other one has shown that it lives, the two count as one, which has what
//   either has acknowledged. The other one is asked at once; a claim that is false costs only the
//   one that makes it. Nobody is disconnected for a claim: a copy that is slow to answer is there.
// - Backups that have kept up for a while, and are heard from, are established, and come first in
//   the order. Before that a newcomer whose name is first may let a commit wait for kPatienceMs,
//   once, if enough others have acknowledged it: from then on it stands behind them. An established
//   backup is waited for as long as the timeout says, as short silences must not make two gates
//   choose different backups; one that was not worth it makes the trial of those that come later
//   twice as long.

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "replication/feed_status.h"

namespace tandem {

/// The gate of one database, and the list of its followers. Sans-IO; the writer's. Times are
/// monotonic milliseconds.
class CommitGate {
 public:
  /// What a commit does when too few backups acknowledge it in time.
  enum class Fallback : std::uint8_t {
    kAsync,  ///< goes on without them; the status says so
    kBlock,  ///< waits for them
  };
  struct Options {
    unsigned replicas = 0;
    std::int64_t timeout_ms = 1000;
    Fallback fallback = Fallback::kAsync;
  };
  using Follower = std::uint64_t;

  /// There is a bound because each follower makes a commit take longer, and what it is sent is kept
  /// for it.
  static constexpr std::size_t kMostFollowers = 64;
  static constexpr std::int64_t kTrialMs = 10'000;  ///< of a newcomer
  static constexpr std::int64_t kLongestTrialMs = 600'000;
  static constexpr std::int64_t kPatienceMs = 100;

  void configure(const Options& options) { options_ = options; }
  const Options& options() const { return options_; }

  /// A follower joins, or joins anew. It counts once it has acknowledged the newest record. Returns
  /// those whose copy it claims to be: they are to be asked whether they live.
  std::vector<Follower> add(Follower follower, FeedStatus status);
  void remove(Follower follower);
  /// The follower has shown that it is there.
  void alive(Follower follower);
  /// May one more join? Those that have joined may join anew.
  bool has_room_for(Follower follower) const {
    return followers_.size() < kMostFollowers || followers_.contains(follower);
  }
  /// All places are taken: the follower that gives its own to a newcomer from this host; nothing if
  /// none does.
  std::optional<Follower> gives_way(std::string_view host, std::int64_t now_ms) const;
  void acknowledge(Follower follower, const Position& position, std::int64_t now_ms);
  /// A record was written to the log.
  void logged(const Position& position) { newest_ = position; }

  /// May a commit at this position, in the log since `logged_ms`, be published? Notes who let it
  /// wait too long.
  bool open(const Position& position, std::int64_t logged_ms, std::int64_t now_ms);
  /// When to ask again although nobody has acknowledged anything; nothing: not by time.
  std::optional<std::int64_t> deadline_ms(std::int64_t logged_ms, std::int64_t now_ms) const;

  GateStatus status() const;
  std::vector<FeedStatus> followers() const;
  /// The position that the follower has acknowledged; nothing if there is no such follower, or it
  /// never has.
  std::optional<Position> acknowledged(Follower follower) const;

 private:
  struct Member {
    FeedStatus status;
    std::optional<Follower> claimed_by;  ///< the newest that claims to be its copy
    std::int64_t since_ms = 0;           ///< it has been keeping up since then
    std::int64_t trial_ms = 0;           ///< after so long it is established
    bool late = false;                   ///< it let a commit wait, and is not established since
  };
  /// A member, or several that may be one copy.
  struct Backup {
    const FeedStatus* status;
    Position acknowledged;
    bool established;
    bool late;
  };

  bool is_established(const Member& member, std::int64_t now_ms) const;
  /// The member as which it counts.
  const Member& head(const Member& member) const;
  /// Those that keep up, in their order.
  std::vector<Backup> count(std::int64_t now_ms) const;
  /// The same, counted once a change or a millisecond: many commits may wait.
  const std::vector<Backup>& backups(std::int64_t now_ms);
  bool acknowledged(const Position& position, std::int64_t now_ms);
  void pass_over_late(const Position& position, std::int64_t now_ms);
  void drop_silent(const Position& position, std::int64_t now_ms);

  Options options_;
  Position newest_;
  std::map<Follower, Member> followers_;
  std::vector<Backup> counted_;
  std::optional<std::int64_t> counted_ms_;  ///< when; nothing: something has changed since
  std::int64_t trial_ms_ = kTrialMs;
  std::uint64_t missed_ = 0;
};

}  // namespace tandem
