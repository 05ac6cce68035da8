// All rows of a database at once: a compacted file, another schema, what a relay's source has.

#include <utility>

#include "server/database/schema_conversion.h"
#include "server/database/stored_database.h"
#include "server/storage/compaction.h"
#include "server/storage/sha1.h"

namespace tandem {
namespace {

/// Does a column that was ephemeral become persistent? Its values are each server's own.
bool keeps_ephemeral_values(const DatabaseSchema& before, const DatabaseSchema& after) {
  for (const TableSchema& table : after.tables()) {
    const std::optional<TableIndex> old_table = before.find_table(table.name);
    if (!old_table) continue;
    for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); ++i) {
      const TableSchema& old = before.table(*old_table);
      const std::optional<ColumnIndex> column = old.find_column(table.column(i).name);
      if (column && old.column(*column).ephemeral && !table.column(i).ephemeral) return true;
    }
  }
  return false;
}

}  // namespace

SnapshotRecord StoredDatabase::snapshot_record() const {
  return SnapshotRecord(database_->snapshot(), standing_.marks(), clock_.wall_ms());
}

Result<StoredDatabase::Converted> StoredDatabase::converted_to(const SchemaRef& schema) const {
  Result<std::unique_ptr<Database>> rows = convert_database(database_->snapshot(), schema);
  if (!rows) return rows.error();
  // A backup that takes over the new schema at the same position comes to the same rows and
  // position.
  Standing standing = standing_;
  standing.position =
      after_record(position(), storage::Sha1().add("convert ").add(to_text(*schema)).finish(), "");
  if (keeps_ephemeral_values(*this->schema(), *schema)) standing.position.digest = Uuid::random();
  return Converted{std::move(rows.value()), std::move(standing)};
}

Result<void> StoredDatabase::write(const Converted& converted) {
  if (log_ == nullptr) return {};
  if (Result<void> aside = set_damage_aside(); !aside) return aside;
  Result<std::unique_ptr<storage::Compaction>> begun = storage::Compaction::begin(*log_);
  if (!begun) return begun.error();
  SnapshotRecord record(converted.rows->snapshot(), converted.standing.marks(), clock_.wall_ms());
  Result<void> written = begun.value()->write_snapshot_on_writer(to_text(*converted.rows->schema()),
                                                                 [&] { return record.next(); });
  if (written) written = begun.value()->finish();
  // Once the file has its place, memory has to follow, even if that is not on the disk yet: the log
  // has then said so and takes no more.
  if (!written && begun.value()->took_place()) return {};
  return written;
}

void StoredDatabase::replace(std::unique_ptr<Database> rows, const Uuid& id) {
  Standing standing;
  standing.position = {{}, position().index + 1, id};
  adopt({std::move(rows), std::move(standing)});
}

void StoredDatabase::adopt(Converted converted) {
  database_ = std::move(converted.rows);
  standing_ = staged_standing_ = std::move(converted.standing);
  history_.reset(position().digest, position());
}

}  // namespace tandem
