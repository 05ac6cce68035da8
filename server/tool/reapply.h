#pragma once

#include <cstdint>
#include <string>

#include "server/database/database.h"
#include "server/storage/record.h"

namespace tandem::tool {

/// Says the records of a log again as transactions of RFC 7047, for a database that has moved on:
/// rows keep their UUIDs, of sets and maps only the difference is told, and a transaction fails
/// rather than change a row that has gone or a single value that is not what it was.
class Reapply {
 public:
  /// `name` stands in the transactions' comments.
  Reapply(std::string name, SchemaRef schema)
      : name_(std::move(name)), database_(std::move(schema)) {}

  struct Step {
    std::string comment;
    std::int64_t date_ms = 0;
    std::string transaction;  ///< params of "transact"; empty: nothing to say again
  };
  /// In the order of the log, without its schema.
  Result<Step> next(const storage::Record& record);

 private:
  std::string name_;
  Database database_;
};

}  // namespace tandem::tool
