#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/table_updates.h"
#include "replication/row_buckets.h"
#include "replication/standing.h"
#include "replication/stream.h"

namespace tandem {

/// What replication needs of one database on a backup. Implemented above; called on the replication
/// thread, where what is handed in to be told of an outcome runs too, later.
class Replica {
 public:
  virtual ~Replica() = default;

  using Done = std::function<void(Result<void>)>;

  virtual const SchemaRef& schema() const = 0;
  /// Tables that keep the backup's own contents.
  virtual bool excluded(TableIndex table) const = 0;

  // From any server

  /// Makes the database hold exactly these rows (kInsert all; excluded tables untouched): the
  /// difference to what it holds is applied as one commit, and readers see either the old contents
  /// or the new. Nothing is written when nothing differs.
  virtual void resync(std::vector<RowUpdate> rows, Done done) = 0;
  /// Applies one commit of the active. An error leaves the database as it was: it does not fit what
  /// is held, or the log cannot be written.
  virtual void apply(std::vector<RowUpdate> updates, Done done) = 0;

  // From Tandem

  /// Tells where it stands behind all that was handed in before.
  virtual void standing(std::function<void(Standing)> told) = 0;
  struct Holdings {
    std::string buckets;       ///< RowBuckets of all rows, as JSON
    std::vector<Uuid> recent;  ///< digests of the last positions, newest first
  };
  virtual void holdings(std::function<void(Holdings)> told) = 0;
  /// As resync(), but the rows replace only those within the scope, and the database then stands
  /// there.
  virtual void resync_to(const Standing& standing, BucketScope scope, std::vector<RowUpdate> rows,
                         Done done) = 0;
  /// Appends a commit as it stands in the active's log. Outcomes come in order; those of one log
  /// write come in a row, all but the last with `more`.
  using Appended = std::function<void(const Result<void>& outcome, bool more)>;
  virtual void append(StreamRecord record, Appended done) = 0;
  /// Brings all that was written to the disk.
  virtual void make_durable(Done done) = 0;
  /// All that an active had is here: when it was first heard, or when it opened an epoch. Told only
  /// of an active's stream: a backup that serves `monitor` looks like an active.
  virtual void caught_up(Done done) = 0;
  /// Saves the records behind the fork to a file beside the database; all rows as one record, if
  /// the history does not reach back to it.
  struct Aside {
    std::string file;
    std::uint64_t records = 0;
  };
  virtual void set_aside(const Fork& fork, std::function<void(Result<Aside>)> done) = 0;

  /// The absolute name of its file.
  virtual const std::string& file() const = 0;

  /// May the database take the active's schema over?
  virtual bool adopts_schemas() const = 0;
  /// Takes it over. On success this replica's time is over: another takes its place.
  virtual void adopt(SchemaRef schema, Done done) = 0;
};

}  // namespace tandem
