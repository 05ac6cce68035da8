#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/row.h"
#include "replication/position.h"

namespace tandem {

/// What one transaction changed, published once it is in the log. Immutable and shared by all
/// threads after that.
struct Commit {
  SchemaRef schema;
  std::vector<RowChange>
      changes;           ///< grouped by table, in order of table index; a row at most once
  std::string comment;   ///< "comment" operations, joined by newlines
  bool durable = false;  ///< the client asked for an fdatasync before its reply
  bool persistent =
      false;  ///< something must go into the log: a persistent column, a row, a comment

  // Set when the commit is prepared for the log.
  Position position;  ///< after this commit
  Uuid id;  ///< transaction id of update3: position.digest, or derived when only ephemeral columns
            ///< changed
  std::string record;  ///< body of the log record, without newline; empty when not persistent
};

using CommitRef = std::shared_ptr<const Commit>;

}  // namespace tandem
