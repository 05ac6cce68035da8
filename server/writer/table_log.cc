#include "server/writer/table_log.h"

#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module transaction_log("transaction");

std::string_view kind_of(const RowChange& change) {
  if (!change.before) return "inserted";
  return change.after ? "updated" : "deleted";
}

}  // namespace

void TableLog::set(const std::string& database, const std::string& table, bool on) {
  if (on) {
    tables_.emplace(database, table);
  } else {
    tables_.erase({database, table});
  }
}

void TableLog::on_logged(const ServedDatabase& database, const CommitRef& commit) {
  if (tables_.empty()) return;
  for (const RowChange& change : commit->changes) {
    const TableSchema& table = commit->schema->table(change.table);
    if (!is_on(database.info->name, table.name)) continue;
    // The whole row, in ovsdb-server's form; its order is that of a hash table.
    const Row& row = change.after ? *change.after : *change.before;
    std::string values;
    for (ColumnIndex i = 0; i < table.columns.size(); ++i) {
      values += fmt::format(",{}:", table.columns[i].name);
      append_datum_text(values, table.columns[i].type, row.view(i));
    }
    transaction_log.info("table:{},op:{}{}", table.name, kind_of(change), values);
  }
}

}  // namespace tandem
