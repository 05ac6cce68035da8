#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "replication/feed.h"
#include "replication/row_buckets.h"
#include "server/writer/client_port.h"

namespace tandem {

/// What a backup that cannot resume lacks: its sums of rows compared with those of a snapshot. Long
/// work, so it goes over the background thread in slices of some milliseconds, between which other
/// work has its turn, and ends at the next slice when nobody wants it any more. Shared by the
/// session that asked and the slice under way.
class Comparison : public std::enable_shared_from_this<Comparison> {
 public:
  struct Outcome {
    FollowReply reply;
    std::unique_ptr<FeedRows> rows;
  };
  /// On the background thread; nothing when it was cancelled.
  using Done = std::function<void(std::optional<Outcome>)>;

  Comparison(FeedStart start, RowBuckets held)
      : start_(std::move(start)), held_(std::move(held)), ours_(RowBuckets::zeros_like(held_)) {}

  const std::string& database() const { return start_.database->name; }
  void start(TaskRunner& background, Done done);
  /// Any thread.
  void cancel() { cancelled_ = true; }

 private:
  /// Calls `f` with each chunk of a slice; false when there are no more.
  template <class F>
  bool next_chunks(F&& f);
  void run_slice();
  void post_slice();
  Outcome outcome();

  FeedStart start_;
  const RowBuckets held_;
  RowBuckets ours_;
  std::optional<BucketScope> scope_;  ///< once the sums are made
  std::uint64_t rows_ = 0;            ///< in the scope
  TableIndex table_ = 0;              ///< where the next slice goes on
  std::size_t chunk_ = 0;
  TaskRunner* background_ = nullptr;
  Done done_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace tandem
