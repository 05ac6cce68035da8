#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "replication/feed.h"
#include "replication/row_buckets.h"
#include "server/database/snapshot.h"

namespace tandem {

/// The rows of some buckets of a snapshot, as tandem_rows messages. A message is made piece by
/// piece while the socket takes it, so that many backups that are compared at once cost neither
/// the text of their rows nor others' time. One thread.
class SnapshotRows final : public FeedRows {
 public:
  /// `rows`: so many are in the scope.
  SnapshotRows(std::string database, Snapshot snapshot, BucketScope scope, std::uint64_t rows);

  std::unique_ptr<TextSource> next() override;
  bool is_making() const override;

 private:
  struct Walk;
  class Message;

  const std::shared_ptr<Walk> walk_;  ///< which goes on as long as a message is made
};

}  // namespace tandem
