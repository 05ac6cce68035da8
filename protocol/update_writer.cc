#include <algorithm>

#include "protocol/monitor.h"

namespace tandem {

namespace {

bool equal_in(ColumnIndex column, const Row& a, const Row& b) {
  if (column < kFirstOwnColumn) return a.view(column) == b.view(column);
  return a.datum(column) == b.datum(column);
}

bool has_default(const TableSchema& schema, ColumnIndex column, const Row& row) {
  return column >= kFirstOwnColumn && row.datum(column) == schema.column(column).default_value;
}

}  // namespace

UpdateWriter::UpdateWriter(const MonitorRequest& request, std::string& out)
    : request_(request), out_(out) {
  out_ += '{';
}

UpdateWriter::UpdateWriter(const MonitorRequest& request, const MonitoredTable& table,
                           std::string& out)
    : request_(request), out_(out), current_(&table) {}

void UpdateWriter::initial(const MonitoredTable& table, const Row& row) {
  if (!table.select.initial) return;
  const TableSchema& schema = schema_of(table);
  open_row(table, row.uuid());
  out_ += differences() ? "{\"initial\":" : "{\"new\":";
  append_columns(table, row, [&](const MonitoredColumn& m) {
    return m.select.initial && !(differences() && has_default(schema, m.column, row));
  });
  out_ += '}';
}

void UpdateWriter::change(const MonitoredTable& table, const Row* before, const Row* after) {
  if (before && !table.condition.matches(*before)) before = nullptr;
  if (after && !table.condition.matches(*after)) after = nullptr;
  if (before || after) visible_change(table, before, after);
}

void UpdateWriter::visible_change(const MonitoredTable& table, const Row* before,
                                  const Row* after) {
  if (!before) {
    if (table.select.insert) insert(table, *after);
  } else if (!after) {
    if (table.select.remove) remove(table, *before);
  } else {
    if (table.select.modify) modify(table, *before, *after);
  }
}

void UpdateWriter::insert(const MonitoredTable& table, const Row& row) {
  const TableSchema& schema = schema_of(table);
  open_row(table, row.uuid());
  out_ += differences() ? "{\"insert\":" : "{\"new\":";
  append_columns(table, row, [&](const MonitoredColumn& m) {
    return m.select.insert && !(differences() && has_default(schema, m.column, row));
  });
  out_ += '}';
}

void UpdateWriter::remove(const MonitoredTable& table, const Row& row) {
  open_row(table, row.uuid());
  if (differences()) {
    out_ += "{\"delete\":null}";
    return;
  }
  out_ += "{\"old\":";
  append_columns(table, row, [](const MonitoredColumn& m) { return m.select.remove; });
  out_ += '}';
}

void UpdateWriter::modify(const MonitoredTable& table, const Row& before, const Row& after) {
  const bool any =
      std::any_of(table.columns.begin(), table.columns.end(), [&](const MonitoredColumn& m) {
        return m.select.modify && !equal_in(m.column, before, after);
      });
  if (!any) return;
  open_row(table, after.uuid());
  if (differences()) {
    append_difference(table, before, after);
  } else {
    append_change(table, before, after);
  }
}

void UpdateWriter::append_difference(const MonitoredTable& table, const Row& before,
                                     const Row& after) {
  const TableSchema& schema = schema_of(table);
  out_ += "{\"modify\":{";
  const char* separator = "\"";
  for (const MonitoredColumn& m : table.columns) {
    if (!m.select.modify || equal_in(m.column, before, after)) continue;
    const ColumnSchema& column = schema.column(m.column);
    out_ += separator;
    separator = ",\"";
    out_ += column.name;
    out_ += "\":";
    if (column.type.has_difference()) {
      append_datum_json(out_, diff(before.view(m.column), after.view(m.column)).view());
    } else {
      append_datum_json(out_, after.view(m.column));
    }
  }
  out_ += "}}";
}

void UpdateWriter::append_change(const MonitoredTable& table, const Row& before, const Row& after) {
  out_ += "{\"new\":";
  append_columns(table, after, [](const MonitoredColumn& m) { return m.select.modify; });
  out_ += ",\"old\":";
  append_columns(table, before, [&](const MonitoredColumn& m) {
    return m.select.modify && !equal_in(m.column, before, after);
  });
  out_ += '}';
}

template <class Wanted>
void UpdateWriter::append_columns(const MonitoredTable& table, const Row& row, Wanted wanted) {
  const TableSchema& schema = schema_of(table);
  out_ += '{';
  const char* separator = "\"";  // column names are ids: nothing in them to escape
  for (const MonitoredColumn& m : table.columns) {
    if (!wanted(m)) continue;
    out_ += separator;
    separator = ",\"";
    out_ += schema.column(m.column).name;
    out_ += "\":";
    append_datum_json(out_, row.view(m.column));
  }
  out_ += '}';
}

void UpdateWriter::open_row(const MonitoredTable& table, const Uuid& uuid) {
  if (current_ == &table) {
    out_ += any_ ? ",\"" : "\"";
  } else {
    if (current_) out_ += "},";
    current_ = &table;
    out_ += '"';
    out_ += schema_of(table).name;
    out_ += "\":{\"";
  }
  uuid.append_to(out_);
  out_ += "\":";
  any_ = true;
}

void UpdateWriter::end() {
  if (current_) out_ += '}';
  out_ += '}';
}

}  // namespace tandem
