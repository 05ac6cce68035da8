#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replication/feed_status.h"

namespace tandem {

/// One database and the backups that follow it, as a drain sees them.
struct DrainedDatabase {
  std::string name;
  Position position;
  std::vector<FeedStatus> followers;
};

/// A demotion's wait, after the last write, until backups have everything: a second for those that
/// keep up, longer for the one that is to be active, since what that one lacks is lost to all. A
/// value; sans-IO; times are monotonic milliseconds.
class Drain {
 public:
  static constexpr std::int64_t kWaitMs = 1000;
  static constexpr std::int64_t kWaitSuccessorMs = 2500;
  static constexpr std::int64_t kLookMs = 5;  ///< between two looks at the backups

  enum class Verdict : std::uint8_t {
    kWait,   ///< look again
    kEnded,  ///< everybody has everything, or was waited for long enough
    kUndo,   ///< the successor has not everything, and must
  };

  /// A backup that lacks something.
  struct Laggard {
    std::string name;
    std::string database;
    Height acknowledged;
  };

  /// `successor`: the name of the backup that is to be active; empty: not known. If it `must_have`
  /// everything, the demotion is undone otherwise.
  Drain(std::int64_t start_ms, std::string successor, bool must_have)
      : start_ms_(start_ms), successor_(std::move(successor)), must_have_(must_have) {}

  /// A later demotion goes on with the wait that has begun.
  Drain with(std::string successor, bool must_have) const {
    return {start_ms_, std::move(successor), must_have};
  }

  /// The look is not `fresh` if the writer is busy.
  Verdict judge(const std::vector<DrainedDatabase>& databases, bool fresh, std::int64_t now_ms);

  /// After the last judge(): "drained" on a line if all that were waited for have everything; then
  /// "lacks NAME DB EPOCH:INDEX" on a line for each backup and database where it lacks something.
  std::string report() const;

 private:
  bool is_successor(const FeedStatus& feed) const {
    return !successor_.empty() && feed.peer_name() == successor_;
  }
  /// Where the successor stands in a database: has everything, lacks something, or is not there.
  void look_for_successor(const DrainedDatabase& database);

  std::int64_t start_ms_;
  std::string successor_;
  bool must_have_;
  bool drained_ = false;
  bool successor_has_all_ = false;
  bool successor_is_there_ = false;
  std::vector<Laggard> laggards_;
};

}  // namespace tandem
