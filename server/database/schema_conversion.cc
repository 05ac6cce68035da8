#include "server/database/schema_conversion.h"

#include "protocol/json/json_reader.h"
#include "server/database/commit_check.h"

namespace tandem {
namespace {

/// How a table's columns are filled.
struct ColumnMove {
  ColumnIndex from;
  ColumnIndex to;
  bool same_type;
};

std::vector<ColumnMove> column_moves(const TableSchema& from, const TableSchema& to) {
  std::vector<ColumnMove> moves;
  for (ColumnIndex i = kFirstOwnColumn; i < to.columns.size(); i++) {
    const auto old = from.find_column(to.column(i).name);
    if (old) moves.push_back({*old, i, from.column(*old).type == to.column(i).type});
  }
  return moves;
}

Result<void> convert_row(const Row& from, const std::vector<ColumnMove>& moves,
                         const TableSchema& schema, Row& to) {
  for (const ColumnMove& move : moves) {
    if (move.same_type) {
      to.set(move.to, from.datum(move.from));
      continue;
    }
    std::string text;
    append_datum_json(text, from.view(move.from), Reals::kExact);
    auto datum = schema.column(move.to).type.datum_from_json(parse_json(text).value(), nullptr);
    if (!datum) return datum.error();
    to.set(move.to, std::move(*datum));
  }
  return {};
}

Result<void> convert_table(const TableSnapshot& from, const TableSchema& old_schema, TableIndex to,
                           Drafts& drafts) {
  const TableSchema& schema = drafts.schema(to);
  const std::vector<ColumnMove> moves = column_moves(old_schema, schema);
  for (const ChunkRef& chunk : from.chunks()) {
    for (const RowRef& old : chunk->rows) {
      if (!old) continue;
      RowDraft row = Row::create(schema, old->uuid());
      if (auto converted = convert_row(*old, moves, schema, *row); !converted) return converted;
      row->set_version(Uuid::random());
      drafts.insert(to, std::move(row));
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> convert_database(const Snapshot& from, const SchemaRef& to) {
  auto database = std::make_unique<Database>(to);
  Drafts drafts(*database);
  for (TableIndex i = 0; i < to->tables().size(); i++) {
    const auto old = from.schema->find_table(to->table(i).name);
    if (!old) continue;
    auto converted = convert_table(from.tables[*old], from.schema->table(*old), i, drafts);
    if (!converted) return converted.error();
  }
  auto changes = finish_drafts(drafts);
  if (!changes) return changes.error();
  database->apply(*changes);
  return database;
}

}  // namespace tandem
