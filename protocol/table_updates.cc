#include "protocol/table_updates.h"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

/// A row may be named in two ways only if a digit of its UUID is a capital letter.
bool has_capitals(std::string_view uuid) {
  return std::any_of(uuid.begin(), uuid.end(), [](char c) { return c >= 'A' && c <= 'F'; });
}

/// Whether two of the updates, all of one table, are of one row.
bool has_row_twice(std::vector<RowUpdate>::const_iterator begin,
                   std::vector<RowUpdate>::const_iterator end) {
  std::vector<Uuid> rows;
  for (auto update = begin; update != end; ++update) rows.push_back(update->uuid);
  std::sort(rows.begin(), rows.end());
  return std::adjacent_find(rows.begin(), rows.end()) != rows.end();
}

Error bad_update(JsonView where, std::string details) {
  return syntax_error(where, std::move(details));
}

/// ["uuid", TEXT]
std::optional<Uuid> version_from_json(JsonView value) {
  if (!value.is_array() || value.size() != 2 || !value[1].is_string()) return std::nullopt;
  return Uuid::parse(value[1].get_string());
}

Result<std::vector<ColumnValue>> columns_from_json(const TableSchema& table, JsonView row,
                                                   bool differences) {
  if (!row.is_object()) return bad_update(row, "<row> is not an object");
  std::vector<ColumnValue> columns;
  columns.reserve(row.size());
  for (const auto& [name, value] : row.members()) {
    const std::optional<ColumnIndex> column = table.find_column(name);
    if (!column)
      return bad_update(row, "No column " + std::string(name) + " in table " + table.name + ".");
    if (*column < kFirstOwnColumn) continue;
    const ColumnType& type = table.column(*column).type;
    Result<Datum> datum =
        type.datum_from_json(value, nullptr,
                             differences && type.has_difference() ? ColumnType::Sizes::kAny
                                                                  : ColumnType::Sizes::kChecked);
    if (!datum) return datum.error();
    columns.push_back({*column, std::move(datum.value())});
  }
  return columns;
}

Result<RowUpdate> row_update(const TableSchema& table, MonitorVersion version, JsonView update) {
  if (!update.is_object()) return bad_update(update, "<row-update> is not an object");
  RowUpdate result;
  JsonView row;
  if (version == MonitorVersion::kUpdate) {
    const auto has_old = static_cast<bool>(update.find("old"));
    row = update.find("new");
    if (!row && !has_old) return bad_update(update, "<row-update> has neither \"old\" nor \"new\"");
    result.kind = !row      ? RowUpdate::Kind::kDelete
                  : has_old ? RowUpdate::Kind::kSet
                            : RowUpdate::Kind::kInsert;
  } else if ((row = update.find("initial")) || (row = update.find("insert"))) {
    result.kind = RowUpdate::Kind::kInsert;
  } else if ((row = update.find("modify"))) {
    result.kind = RowUpdate::Kind::kDifference;
  } else if (update.find("delete")) {
    result.kind = RowUpdate::Kind::kDelete;
  } else {
    return bad_update(update,
                      "<row-update2> has none of \"initial\", \"insert\", \"modify\", \"delete\"");
  }
  if (row) {
    Result<std::vector<ColumnValue>> columns =
        columns_from_json(table, row, result.kind == RowUpdate::Kind::kDifference);
    if (!columns) return columns.error();
    result.columns = std::move(columns.value());
    result.version = version_from_json(row.find("_version"));
  }
  return result;
}

}  // namespace

Result<std::vector<RowUpdate>> table_updates_from_json(const DatabaseSchema& schema,
                                                       MonitorVersion version, JsonView updates) {
  if (!updates.is_object()) return bad_update(updates, "<table-updates> is not an object");
  std::vector<RowUpdate> result;
  for (const auto& [table_name, rows] : updates.members()) {
    const std::optional<TableIndex> table = schema.find_table(table_name);
    if (!table) return bad_update(updates, "No table named " + std::string(table_name) + ".");
    if (!rows.is_object()) return bad_update(rows, "<table-update> is not an object");
    result.reserve(result.size() + rows.size());
    const auto first = static_cast<std::ptrdiff_t>(result.size());
    bool any_capitals = false;
    for (const auto& [uuid_text, row] : rows.members()) {
      const std::optional<Uuid> uuid = Uuid::parse(uuid_text);
      if (!uuid) return bad_update(rows, "<table-update> names a row that is no UUID");
      Result<RowUpdate> update = row_update(schema.table(*table), version, row);
      if (!update) return update.error();
      update.value().table = *table;
      update.value().uuid = *uuid;
      result.push_back(std::move(update.value()));
      any_capitals |= has_capitals(uuid_text);
    }
    if (any_capitals && has_row_twice(result.begin() + first, result.end()))
      return bad_update(rows, "<table-update> names a row twice");
  }
  return result;
}

Result<RowRef> updated_row(const DatabaseSchema& schema, const RowUpdate& update,
                           const RowRef& before) {
  const TableSchema& table = schema.table(update.table);
  const auto misfit = [&](std::string_view what) {
    return Error{"consistency violation",
                 std::string(what) + " row " + update.uuid.to_string() + " of table " + table.name,
                 std::nullopt};
  };
  switch (update.kind) {
    case RowUpdate::Kind::kDelete:
      if (!before) return misfit("deletion of unknown");
      return RowRef();
    case RowUpdate::Kind::kInsert: {
      if (before) return misfit("insertion of existing");
      RowDraft row = Row::create(table, update.uuid);
      for (const ColumnValue& value : update.columns) row->set(value.column, value.datum);
      row->set_version(update.version ? *update.version : Uuid::random());
      return RowRef(row);
    }
    case RowUpdate::Kind::kSet:
    case RowUpdate::Kind::kDifference: {
      if (!before) return misfit("change of unknown");
      RowDraft row = Row::clone(*before);
      for (const ColumnValue& value : update.columns) {
        const bool difference = update.kind == RowUpdate::Kind::kDifference &&
                                table.column(value.column).type.has_difference();
        if (!difference) {
          row->set(value.column, value.datum);
          continue;
        }
        const ColumnType& type = table.column(value.column).type;
        if (!Datum::fit_together(before->datum(value.column), value.datum))
          return datum_too_large();
        Datum datum = apply_diff(before->view(value.column), value.datum.view());
        if (datum.size() < type.n_min || datum.size() > type.n_max)
          return misfit("change of the wrong size of");
        row->set(value.column, std::move(datum));
      }
      row->set_version(update.version ? *update.version : Uuid::random());
      return RowRef(row);
    }
  }
  return misfit("unknown change of");
}

}  // namespace tandem
