#include "replication/schema_match.h"

namespace tandem {

std::string SchemaMatch::missing_text() const {
  std::string text;
  for (const std::string& item : missing) {
    if (!text.empty()) text += ", ";
    text += item;
  }
  return text;
}

SchemaMatch match_schemas(const DatabaseSchema& active, const DatabaseSchema& backup) {
  SchemaMatch match;
  match.same = to_text(active) == to_text(backup);
  for (const TableSchema& theirs : active.tables()) {
    const std::optional<TableIndex> table = backup.find_table(theirs.name);
    if (!table) {
      match.missing.push_back("table " + theirs.name);
      continue;
    }
    const TableSchema& ours = backup.table(*table);
    for (ColumnIndex i = kFirstOwnColumn; i < theirs.columns.size(); ++i) {
      const ColumnSchema& column = theirs.columns[i];
      const std::optional<ColumnIndex> found = ours.find_column(column.name);
      const std::string name = theirs.name + '.' + column.name;
      if (!found) {
        match.missing.push_back("column " + name);
      } else if (ours.column(*found).type.is_map() != column.type.is_map() ||
                 ours.column(*found).type.key.type != column.type.key.type ||
                 (column.type.value &&
                  ours.column(*found).type.value->type != column.type.value->type)) {
        match.missing.push_back("type of " + name);
      }
    }
  }
  return match;
}

}  // namespace tandem
