#pragma once

// Synchronous commit. A commit is in the log and on its way to the backups; the gate says when
// clients may learn of it: once N backups have acknowledged its position. Only backups that keep up
// count, and of them the first N in order of their names: so the gates of two servers on one host
// (Northbound and Southbound) wait for the same backups, and a backup exists that has everything
// that was acknowledged in either. A backup that lets a commit wait for the whole timeout no longer
// keeps up, until it has caught up with the newest record; the next in order takes its place.

#include <cstdint>
#include <map>
#include <optional>
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

  void configure(const Options& options) { options_ = options; }
  const Options& options() const { return options_; }

  /// A follower joins, or joins anew. It counts once it has acknowledged the newest record.
  void add(Follower follower, FeedStatus status);
  void remove(Follower follower) { followers_.erase(follower); }
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

 private:
  bool acknowledged(const Position& position) const;
  unsigned in_sync() const;

  Options options_;
  Position newest_;
  std::map<Follower, FeedStatus> followers_;
  std::uint64_t missed_ = 0;
};

}  // namespace tandem
