#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/database/database.h"

// Bodies of log records, ovsdb(5): {"_date": MS, "_comment": TEXT, "_is_diff": true, TABLE: {UUID:
// ROW or null}}, without the newline. In an inserted row columns with their defaults are left out;
// in a changed row stand the changed columns, sets and maps as differences under "_is_diff".
// Ephemeral columns are never written.

namespace tandem {

/// How sets and maps of changed rows are written: `ovsdb-server --disable-file-column-diff` chooses
/// kWhole.
enum class ColumnForm : std::uint8_t {
  kDifference,  ///< what was added and removed
  kWhole,       ///< the new value
};

/// Requires changes grouped by table, as Commit has them.
std::string encode_record(const DatabaseSchema& schema, const std::vector<RowChange>& changes,
                          std::string_view comment, std::int64_t date_ms,
                          ColumnForm form = ColumnForm::kDifference);

struct DecodedRecord {
  std::vector<RowChange>
      changes;  ///< against the rows of the database, as Database::apply() wants them
  std::string comment;
  std::optional<std::int64_t> date_ms;
};

/// Reads a record against the present rows. Checks types, constraints and sizes of values, but no
/// rule of commits. Errors are ovsdb-server's.
Result<DecodedRecord> decode_record(const Database& database, std::string_view body);

/// The record that makes an empty database equal to a snapshot, in pieces of some hundred
/// kilobytes: what compaction writes. Any one thread.
class SnapshotRecord {
 public:
  SnapshotRecord(Snapshot snapshot, std::string_view comment, std::int64_t date_ms);

  /// The next piece, valid until the next call; an empty one at the end.
  std::string_view next();

 private:
  static constexpr std::size_t kPieceBytes = 256U << 10;

  /// Appends the rows of the next chunk, or what stands between tables.
  void step();
  void append_rows(const RowChunk& chunk, const TableSchema& schema);

  const Snapshot snapshot_;
  std::string piece_;
  TableIndex table_ = 0;
  std::size_t chunk_ = 0;
  bool comma_ = false;    ///< the table's next row is not its first
  bool started_ = false;  ///< the piece with the record's head is out
  bool done_ = false;
};

}  // namespace tandem
