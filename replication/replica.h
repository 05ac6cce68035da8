#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "protocol/table_updates.h"

namespace tandem {

/// What replication needs of one database on a backup. Implemented above; called on the replication
/// thread, where `done` runs too, later.
class Replica {
 public:
  virtual ~Replica() = default;

  using Done = std::function<void(Result<void>)>;

  virtual const SchemaRef& schema() const = 0;
  /// Tables that keep the backup's own contents.
  virtual bool excluded(TableIndex table) const = 0;

  /// Makes the database hold exactly these rows (kInsert all; excluded tables untouched): the
  /// difference to what it holds is applied as one commit, and readers see either the old contents
  /// or the new. Nothing is written when nothing differs.
  virtual void resync(std::vector<RowUpdate> rows, Done done) = 0;
  /// Applies one commit of the active. An error leaves the database as it was: it does not fit what
  /// is held, or the log cannot be written.
  virtual void apply(std::vector<RowUpdate> updates, Done done) = 0;
};

}  // namespace tandem
