#include "server/relay/source_row.h"

#include <variant>

#include "server/writer/server_schema.h"

namespace tandem {
namespace {

/// The value of a column with at most one; nothing if there is none.
template <class T>
std::optional<T> value_of(const TableSchema& table, const Row& row, std::string_view column) {
  const DatumView datum = row.view(*table.find_column(column));
  if (datum.empty()) return std::nullopt;
  const AtomView atom = datum.key(0);
  return std::get<T>(atom);
}

std::string text_of(const TableSchema& table, const Row& row, std::string_view column) {
  return std::string(value_of<std::string_view>(table, row, column).value_or(""));
}

}  // namespace

Result<void> SourceRows::apply(JsonView updates) {
  const DatabaseSchema& schema = *server_schema();
  const Result<std::vector<RowUpdate>> read =
      table_updates_from_json(schema, MonitorVersion::kUpdate2, updates);
  if (!read) return read.error();
  for (const RowUpdate& update : *read) {
    const auto held = rows_.find(update.uuid);
    Result<RowRef> row = updated_row(schema, update, held == rows_.end() ? nullptr : held->second);
    if (!row) return row.error();
    if (*row) {
      rows_.insert_or_assign(update.uuid, std::move(*row));
    } else {
      rows_.erase(update.uuid);
    }
  }
  return {};
}

std::optional<SourceRow> SourceRows::find(std::string_view database) const {
  const TableSchema& table = server_schema()->table(0);
  for (const auto& [uuid, row] : rows_) {
    if (text_of(table, *row, "name") != database) continue;
    SourceRow found;
    found.schema = text_of(table, *row, "schema");
    const std::string model = text_of(table, *row, "model");
    found.clustered = model == "clustered";
    found.relay = model == "relay";
    found.connected = value_of<bool>(table, *row, "connected").value_or(false);
    found.leader = value_of<bool>(table, *row, "leader").value_or(false);
    found.cid = value_of<Uuid>(table, *row, "cid");
    found.index = value_of<std::int64_t>(table, *row, "index").value_or(0);
    return found;
  }
  return std::nullopt;
}

}  // namespace tandem
