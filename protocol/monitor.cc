#include "protocol/monitor.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "protocol/object_reader.h"

namespace tandem {

namespace {

Result<MonitorSelect> read_select(JsonView value, std::string_view table) {
  ObjectReader reader(value, fmt::format("table {} select", table));
  MonitorSelect select;
  const auto read = [&](std::string_view name, bool& flag) {
    if (const JsonView member = reader.optional(name, kJsonBoolean)) flag = member.get_bool();
  };
  read("initial", select.initial);
  read("insert", select.insert);
  read("delete", select.remove);
  read("modify", select.modify);
  if (auto done = reader.finish(); !done) return std::move(done).error();
  return select;
}

Error mentioned_twice(const TableSchema& schema, ColumnIndex column, JsonView where) {
  return syntax_error(
      where, fmt::format("column {} mentioned more than once", schema.column(column).name));
}

/// One table's requests while they are read.
struct TableReading {
  MonitoredTable table;
  std::vector<bool> mentioned;  ///< by column
  MonitorConditionBuilder condition;
  bool is_first = true;
};

/// Adds the columns that one <monitor-request> asks for: those named, or all but _uuid. Of several
/// faults the first is named, as ovsdb-server does.
Result<void> add_columns(const TableSchema& schema, JsonView names, const MonitorSelect& select,
                         TableReading& reading) {
  const auto add = [&](ColumnIndex column) -> Result<void> {
    if (reading.mentioned.size() <= column) reading.mentioned.resize(schema.columns.size());
    if (reading.mentioned[column]) return mentioned_twice(schema, column, names);
    reading.mentioned[column] = true;
    reading.table.columns.push_back({column, select});
    return {};
  };
  if (!names) {
    for (ColumnIndex i = 0; i < schema.columns.size(); ++i) {
      if (i == kUuidColumn) continue;
      if (auto added = add(i); !added) return added;
    }
    return {};
  }
  for (const JsonView element : names.elements()) {
    if (!element.is_string()) return syntax_error(names, "array of column names expected");
    const std::string_view name = element.get_string();
    const auto column = schema.find_column(name);
    if (!column) return syntax_error(names, fmt::format("{} is not a valid column name", name));
    if (auto added = add(*column); !added) return added;
  }
  return {};
}

/// Adds one <monitor-request> or <monitor-cond-request> to its table.
Result<void> merge_request(const TableSchema& schema, MonitorVersion version, JsonView value,
                           TableReading& reading) {
  ObjectReader reader(value, fmt::format("table {}", schema.name));
  const JsonView names = reader.optional("columns", kJsonArray);
  const JsonView where =
      version == MonitorVersion::kUpdate ? JsonView() : reader.optional("where", kJsonArray);
  const JsonView select_member = reader.optional("select", kJsonObject);
  if (auto done = reader.finish(); !done) return done;

  MonitorSelect select;
  if (select_member) {
    const auto read = read_select(select_member, schema.name);
    if (!read) return read.error();
    select = *read;
  }
  if (auto added = add_columns(schema, names, select, reading); !added) return added;
  if (std::exchange(reading.is_first, false))
    reading.table.select = select;
  else
    reading.table.select |= select;
  // A request without conditions asks for columns of the rows that the others ask for, as
  // ovsdb-client sends it.
  return where ? reading.condition.add(schema, where) : Result<void>();
}

/// Adds the requests of a table: an array of them or, as ovsdb-server(7) section 4.1.5 allows, just
/// one.
Result<void> merge_requests(const TableSchema& schema, MonitorVersion version, JsonView requests,
                            TableReading& reading) {
  if (!requests.is_array()) return merge_request(schema, version, requests, reading);
  for (const JsonView request : requests.elements()) {
    if (auto merged = merge_request(schema, version, request, reading); !merged) return merged;
  }
  return {};
}

Error no_such_table(std::string_view table, std::string_view suffix = "") {
  return syntax_error(nullptr, fmt::format("no table named {}{}", table, suffix));
}

}  // namespace

MonitorSelect& MonitorSelect::operator|=(const MonitorSelect& other) {
  initial |= other.initial;
  insert |= other.insert;
  remove |= other.remove;
  modify |= other.modify;
  return *this;
}

Result<MonitorRequest> MonitorRequest::from_json(SchemaRef schema, MonitorVersion version,
                                                 JsonView requests) {
  if (!requests.is_object()) return syntax_error(requests, "monitor-requests must be object");
  MonitorRequest request{std::move(schema), version, {}};
  for (const JsonMember& member : requests.members()) {
    const auto index = request.schema->find_table(member.name);
    if (!index) return no_such_table(member.name);
    TableReading reading;
    reading.table.table = *index;
    const TableSchema& table_schema = request.schema->table(*index);
    if (auto merged = merge_requests(table_schema, version, member.value, reading); !merged)
      return std::move(merged).error();
    if (reading.is_first) continue;  // no requests: nothing to monitor
    MonitoredTable& table = reading.table;
    table.condition = reading.condition.build();
    std::sort(
        table.columns.begin(), table.columns.end(),
        [](const MonitoredColumn& a, const MonitoredColumn& b) { return a.column < b.column; });
    request.tables.push_back(std::move(table));
  }
  std::sort(request.tables.begin(), request.tables.end(),
            [](const MonitoredTable& a, const MonitoredTable& b) { return a.table < b.table; });
  return request;
}

Result<MonitorRequest> MonitorRequest::with_conditions(JsonView changes) const {
  if (!changes.is_object())
    return syntax_error(nullptr, "monitor-cond-change-requests must be object");
  MonitorRequest changed = *this;
  for (const JsonMember& member : changes.members()) {
    const auto index = schema->find_table(member.name);
    if (!index) return no_such_table(member.name);
    const auto table = std::find_if(changed.tables.begin(), changed.tables.end(),
                                    [&](const MonitoredTable& t) { return t.table == *index; });
    if (table == changed.tables.end()) return no_such_table(member.name, " in monitor session");
    const TableSchema& table_schema = schema->table(*index);
    if (!member.value.is_array()) {
      return syntax_error(
          nullptr, fmt::format("table {} no monitor-cond-change JSON array", table_schema.name));
    }
    for (const JsonView element : member.value.elements()) {
      ObjectReader reader(element, fmt::format("table {}", table_schema.name));
      const JsonView columns = reader.optional("columns", kJsonArray);
      const JsonView where = reader.optional("where", kJsonArray);
      if (auto done = reader.finish(); !done) return std::move(done).error();
      if (columns) return syntax_error(element, "changing columns is unsupported");
      if (version == MonitorVersion::kUpdate) continue;  // has none, and ovsdb-server reads none
      auto condition =
          where ? MonitorCondition::from_json(table_schema, where) : MonitorCondition::always();
      if (!condition) return std::move(condition).error();
      table->condition = std::move(*condition);
    }
  }
  return changed;
}

std::size_t MonitorRequest::hash() const {
  std::size_t hash = static_cast<std::size_t>(version);
  const auto combine = [&](std::size_t value) { hash = hash * 0x9e3779b97f4a7c15ULL + value; };
  for (const MonitoredTable& table : tables) {
    combine(table.table);
    for (const auto& [column, select] : table.columns) {
      combine(column);
      combine(static_cast<std::size_t>(select.initial) |
              static_cast<std::size_t>(select.insert) << 1 |
              static_cast<std::size_t>(select.remove) << 2 |
              static_cast<std::size_t>(select.modify) << 3);
    }
    combine(table.condition.hash());
  }
  return hash;
}

std::size_t MonitorRequest::clauses() const {
  std::size_t clauses = 0;
  for (const MonitoredTable& table : tables) clauses += table.condition.clauses().size();
  return clauses;
}

const MonitoredTable* MonitorRequest::find(TableIndex table) const {
  const auto at =
      std::lower_bound(tables.begin(), tables.end(), table,
                       [](const MonitoredTable& t, TableIndex index) { return t.table < index; });
  return at != tables.end() && at->table == table ? &*at : nullptr;
}

}  // namespace tandem
