#include "server/database/table_log.h"

#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module transaction_log("transaction");

std::string_view kind_of(const RowChange& change) {
  if (!change.before) return "inserted";
  return change.after ? "modified" : "deleted";
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
    std::string values;
    for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); ++i) {
      if (change.before && change.after && change.before->datum(i) == change.after->datum(i))
        continue;
      const Row& row = change.after ? *change.after : *change.before;
      values += fmt::format(" {}=", table.columns[i].name);
      append_datum_text(values, table.columns[i].type, row.view(i));
    }
    transaction_log.info("{}: {} row {} {}:{}", database.info->name, table.name,
                         change.uuid().to_string(), kind_of(change), values);
  }
}

}  // namespace tandem
