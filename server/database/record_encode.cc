#include "protocol/json/member_writer.h"
#include "protocol/type.h"
#include "server/database/record_codec.h"

namespace tandem {
namespace {

/// The columns of a new row that have not their defaults.
void append_new_row(std::string& out, const TableSchema& schema, const Row& row) {
  out += '{';
  MemberWriter members(out);
  for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
    const ColumnSchema& column = schema.column(i);
    if (column.ephemeral || row.datum(i) == column.default_value) continue;
    append_datum_json(members.name(column.name), row.view(i), Reals::kExact);
  }
  out += '}';
}

bool changed(const RowChange& change, const ColumnSchema& column, ColumnIndex i) {
  return !column.ephemeral && !(change.before->datum(i) == change.after->datum(i));
}

bool changed(const RowChange& change, const TableSchema& schema) {
  if (!change.before || !change.after) return true;
  for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
    if (changed(change, schema.column(i), i)) return true;
  }
  return false;
}

void append_changed_row(std::string& out, const TableSchema& schema, const RowChange& change,
                        ColumnForm form) {
  out += '{';
  MemberWriter members(out);
  for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
    const ColumnSchema& column = schema.column(i);
    if (!changed(change, column, i)) continue;
    std::string& value = members.name(column.name);
    if (form == ColumnForm::kDifference && column.type.has_difference()) {
      append_datum_json(value, diff(change.before->view(i), change.after->view(i)).view(),
                        Reals::kExact);
    } else {
      append_datum_json(value, change.after->view(i), Reals::kExact);
    }
  }
  out += '}';
}

void append_head(MemberWriter& members, std::string_view comment, std::int64_t date_ms,
                 ColumnForm form) {
  append_json_integer(members.name("_date"), date_ms);
  if (!comment.empty()) append_json_string(members.name("_comment"), comment);
  if (form == ColumnForm::kDifference) members.name("_is_diff") += "true";
}

}  // namespace

std::string encode_record(const DatabaseSchema& schema, const std::vector<RowChange>& changes,
                          std::string_view comment, std::int64_t date_ms, ColumnForm form) {
  std::string out(1, '{');
  MemberWriter members(out);
  append_head(members, comment, date_ms, form);
  for (std::size_t i = 0; i < changes.size();) {
    const TableIndex index = changes[i].table;
    const TableSchema& table = schema.table(index);
    std::optional<MemberWriter> rows;  // a table of which nothing is written leaves no trace
    for (; i < changes.size() && changes[i].table == index; i++) {
      const RowChange& change = changes[i];
      if (!changed(change, table)) continue;
      if (!rows) {
        members.name(table.name) += '{';
        rows.emplace(out);
      }
      rows->name(change.uuid());
      if (!change.after) {
        out += "null";
      } else if (!change.before) {
        append_new_row(out, table, *change.after);
      } else {
        append_changed_row(out, table, change, form);
      }
    }
    if (rows) out += '}';
  }
  out += '}';
  return out;
}

SnapshotRecord::SnapshotRecord(Snapshot snapshot, std::string_view comment, std::int64_t date_ms)
    : snapshot_(std::move(snapshot)) {
  piece_ += '{';
  MemberWriter members(piece_);
  append_head(members, comment, date_ms, ColumnForm::kDifference);
}

std::string_view SnapshotRecord::next() {
  if (done_) return {};
  if (started_) piece_.clear();
  started_ = true;
  while (!done_ && piece_.size() < kPieceBytes) step();
  return piece_;
}

void SnapshotRecord::step() {
  if (table_ == snapshot_.tables.size()) {
    piece_ += '}';
    done_ = true;
    return;
  }
  const TableSnapshot& table = snapshot_.tables[table_];
  const TableSchema& schema = snapshot_.schema->table(table_);
  if (table.size() > 0 && chunk_ == 0) {
    piece_ += ',';
    append_json_string(piece_, schema.name);
    piece_ += ":{";
    comma_ = false;
  }
  if (table.size() > 0 && chunk_ < table.chunks().size()) {
    append_rows(*table.chunks()[chunk_++], schema);
    return;
  }
  if (table.size() > 0) piece_ += '}';
  table_++;
  chunk_ = 0;
}

void SnapshotRecord::append_rows(const RowChunk& chunk, const TableSchema& schema) {
  for (const RowRef& row : chunk.rows) {
    if (!row) continue;
    piece_ += comma_ ? ",\"" : "\"";
    comma_ = true;
    row->uuid().append_to(piece_);
    piece_ += "\":";
    append_new_row(piece_, schema, *row);
  }
}

}  // namespace tandem
