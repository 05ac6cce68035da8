#pragma once

#include <string>
#include <vector>

#include "protocol/schema.h"

namespace tandem {

/// What stands between a backup's schema and its active's. The backup may have more tables and
/// columns than the active, not fewer, and what both have must be of the same type.
struct SchemaMatch {
  bool same = false;                 ///< in all they say
  std::vector<std::string> missing;  ///< "table X", "column X.c", "type of X.c": what the backup
                                     ///< has not as the active has it

  bool can_replicate() const { return missing.empty(); }
  std::string missing_text() const;
};

SchemaMatch match_schemas(const DatabaseSchema& active, const DatabaseSchema& backup);

}  // namespace tandem
