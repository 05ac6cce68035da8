#include "server/writer/commit_stream.h"

#include <algorithm>

#include "protocol/json/json_output.h"

namespace tandem {
namespace {

enum class Values : std::uint8_t { kChanged, kAll };

/// The ephemeral columns of a row, or those that differ from before, as members; empty: none.
std::string ephemeral_members(const TableSchema& table, const RowChange& change, Values values) {
  std::string members;
  for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); ++i) {
    const ColumnSchema& column = table.column(i);
    if (!column.ephemeral) continue;
    const Datum& before = change.before ? change.before->datum(i) : column.default_value;
    if (values == Values::kChanged && before == change.after->datum(i)) continue;
    if (!members.empty()) members += ',';
    append_json_string(members, column.name);
    members += ':';
    append_datum_json(members, change.after->view(i), Reals::kExact);
  }
  return members;
}

std::string ephemeral_updates(const Commit& commit, Values values) {
  std::string text;
  std::optional<TableIndex> open;
  for (const RowChange& change : commit.changes) {
    if (!change.after) continue;
    const TableSchema& table = commit.schema->table(change.table);
    const std::string members = ephemeral_members(table, change, values);
    if (members.empty()) continue;
    if (open == change.table) {
      text += ',';
    } else {
      text += open ? "}," : "{";
      append_json_string(text, table.name);
      text += ":{";
      open = change.table;
    }
    text += '"';
    change.uuid().append_to(text);
    text += R"(":{"old":{},"new":{)" + members + "}}";
  }
  if (open) text += "}}";
  return text;
}

}  // namespace

std::string ephemeral_updates(const Commit& commit) {
  return ephemeral_updates(commit, Values::kChanged);
}

std::string ephemeral_updates(const Snapshot& snapshot) {
  Commit all;
  all.schema = snapshot.schema;
  for (TableIndex table = 0; table < snapshot.tables.size(); ++table) {
    const std::vector<ColumnSchema>& columns = snapshot.schema->table(table).columns;
    if (std::none_of(columns.begin(), columns.end(), [](const auto& c) { return c.ephemeral; }))
      continue;
    for (const ChunkRef& chunk : snapshot.tables[table].chunks()) {
      for (const RowRef& row : chunk->rows) {
        if (row) all.changes.push_back({table, RowRef(), row});
      }
    }
  }
  return ephemeral_updates(all, Values::kAll);
}

StreamTextRef stream_text(const std::string& database, const CommitRef& commit) {
  return std::make_shared<const StreamText>(
      [database, commit] {
        return record_notification(database, commit->position, commit->id, commit->record,
                                   ephemeral_updates(*commit), commit->durable);
      },
      commit->record.size() + 300);
}

}  // namespace tandem
