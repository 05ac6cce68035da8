#include "protocol/schema.h"

#include <algorithm>
#include <set>

#include "protocol/json/json_reader.h"
#include "protocol/json/member_writer.h"
#include "protocol/object_reader.h"

namespace tandem {

namespace {

/// Tables and columns may be named by any <id> that does not begin with an underscore.
Result<void> check_name(std::string_view name, JsonView where) {
  if (name.starts_with('_')) return syntax_error(where, "names beginning with \"_\" are reserved");
  if (!is_id(name)) return syntax_error(where, "name must be a valid id");
  return {};
}

/// Index of the name in a sorted range, as a distance from `first`.
template <class Iterator>
std::optional<std::uint32_t> find_name(Iterator first, Iterator last, std::string_view name) {
  const auto at = std::lower_bound(
      first, last, name, [](const auto& item, std::string_view n) { return item.name < n; });
  if (at == last || at->name != name) return std::nullopt;
  return static_cast<std::uint32_t>(at - first);
}

bool is_version(std::string_view text) {
  int part = 1;
  bool digit_before = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      digit_before = true;
    } else if (c == '.' && digit_before) {
      ++part;
      digit_before = false;
    } else {
      return false;
    }
  }
  return part == 3 && digit_before;
}

ColumnSchema pseudo_column(std::string name) {
  ColumnSchema column;
  column.name = std::move(name);
  column.type.key.type = AtomicType::kUuid;
  column.is_mutable = false;
  column.ephemeral = column.name == "_version";
  column.default_value = column.type.default_datum();
  return column;
}

Result<std::vector<ColumnIndex>> index_from_json(const TableSchema& table, JsonView value) {
  std::vector<ColumnIndex> index;
  std::set<ColumnIndex> seen;
  const auto bad = [&] { return syntax_error(value, "array of distinct column names expected"); };
  if (!value.is_array()) return bad();
  for (const JsonView element : value.elements()) {
    if (!element.is_string()) return bad();
    const std::string_view name = element.get_string();
    const auto column = table.find_column(name);
    if (!column) return syntax_error(value, std::string(name) + " is not a valid column name");
    if (!seen.insert(*column).second) return bad();
    index.push_back(*column);
  }
  return index;
}

/// Sets the index of the table that `base` refers to.
Result<void> resolve_reference(const DatabaseSchema& schema, const ColumnSchema& column,
                               std::string_view part, BaseType& base) {
  if (base.ref_table.empty()) return {};
  const auto table = schema.find_table(base.ref_table);
  if (!table) {
    return syntax_error(nullptr, "column " + column.name + " " + std::string(part) +
                                     " refers to undefined table " + base.ref_table);
  }
  base.ref_table_index = *table;
  return {};
}

}  // namespace

// Columns.

Result<ColumnSchema> ColumnSchema::from_json(std::string name, JsonView value) {
  ObjectReader reader(value, "schema for column " + name);
  const JsonView is_mutable = reader.optional("mutable", kJsonBoolean);
  const JsonView ephemeral = reader.optional("ephemeral", kJsonBoolean);
  const JsonView type_member = reader.required("type", kJsonString | kJsonObject);
  if (auto end = reader.finish(); !end) return end.error();
  auto type = ColumnType::from_json(type_member);
  if (!type) return type.error();

  ColumnSchema column;
  column.name = std::move(name);
  column.type = std::move(*type);
  if (is_mutable) column.is_mutable = is_mutable.get_bool();
  if (ephemeral) column.ephemeral = ephemeral.get_bool();
  column.default_value = column.type.default_datum();
  return column;
}

void ColumnSchema::append_json(std::string& out) const {
  out += '{';
  MemberWriter members(out);
  if (ephemeral) members.boolean("ephemeral", true);
  if (!is_mutable) members.boolean("mutable", false);
  type.append_json(members.name("type"));
  out += '}';
}

// Tables.

std::optional<ColumnIndex> TableSchema::find_column(std::string_view column) const {
  if (column == columns[kUuidColumn].name) return kUuidColumn;
  if (column == columns[kVersionColumn].name) return kVersionColumn;
  auto found = find_name(columns.begin() + kFirstOwnColumn, columns.end(), column);
  if (found) *found += kFirstOwnColumn;
  return found;
}

Result<TableSchema> TableSchema::from_json(std::string name, JsonView value) {
  ObjectReader reader(value, "table schema for table " + name);
  const JsonView columns = reader.required("columns", kJsonObject);
  const JsonView max_rows = reader.optional("maxRows", kJsonInteger);
  const JsonView is_root = reader.optional("isRoot", kJsonBoolean);
  const JsonView indexes = reader.optional("indexes", kJsonArray);
  if (auto end = reader.finish(); !end) return end.error();

  TableSchema table;
  table.name = std::move(name);
  if (max_rows) {
    std::int64_t limit = 0;
    as_integer(max_rows, limit);
    if (limit <= 0) return syntax_error(value, "maxRows must be at least 1");
    table.max_rows = static_cast<std::uint32_t>(std::min<std::int64_t>(limit, kNoLimit));
  }
  table.declared_root = is_root && is_root.get_bool();

  if (columns.empty()) return syntax_error(value, "table must have at least one column");
  table.columns.push_back(pseudo_column("_uuid"));
  table.columns.push_back(pseudo_column("_version"));
  for (const JsonMember& member : sorted_members(columns)) {
    if (auto checked = check_name(member.name, value); !checked) return checked.error();
    auto column = ColumnSchema::from_json(std::string(member.name), member.value);
    if (!column) return column.error();
    table.columns.push_back(std::move(*column));
  }

  if (indexes) {
    for (const JsonView element : indexes.elements()) {
      auto index = index_from_json(table, element);
      if (!index) return index.error();
      if (index->empty()) return syntax_error(value, "index must have at least one column");
      for (const ColumnIndex column : *index) {
        if (!table.column(column).ephemeral) continue;
        return syntax_error(value, "ephemeral columns (such as " + table.column(column).name +
                                       ") may not be indexed");
      }
      table.indexes.push_back(std::move(*index));
    }
  }
  return table;
}

void TableSchema::append_json(std::string& out) const {
  out += R"({"columns":{)";
  MemberWriter own(out);
  for (ColumnIndex i = kFirstOwnColumn; i < columns.size(); ++i)
    columns[i].append_json(own.name(columns[i].name));
  out += '}';
  if (!indexes.empty()) {
    out += R"(,"indexes":[)";
    for (const auto& index : indexes) append_index(out, index);
    out.back() = ']';
  }
  if (declared_root) out += R"(,"isRoot":true)";
  if (max_rows != kNoLimit) {
    out += R"(,"maxRows":)";
    append_json_integer(out, max_rows);
  }
  out += '}';
}

void TableSchema::append_index(std::string& out, const std::vector<ColumnIndex>& index) const {
  out += '[';
  for (const ColumnIndex column : index) {
    append_json_string(out, columns[column].name);
    out += ',';
  }
  out.back() = ']';
  out += ',';
}

// Databases.

namespace {

/// Whether rows live by being referred to from such values. A column of these is never ephemeral,
/// whatever the schema says: after a restart the rows would have no reason to be there.
bool keeps_rows(const DatabaseSchema& schema, const BaseType& base) {
  return base.is_strong_ref() && !schema.table(base.ref_table_index).is_root;
}

}  // namespace

Result<std::shared_ptr<const DatabaseSchema>> DatabaseSchema::from_json(JsonView value) {
  ObjectReader reader(value, "database schema");
  const JsonView name = reader.required("name", kJsonId);
  const JsonView version = reader.optional("version", kJsonString);
  const JsonView cksum = reader.optional("cksum", kJsonString);
  const JsonView tables = reader.required("tables", kJsonObject);
  if (auto end = reader.finish(); !end) return end.error();

  auto schema = std::make_shared<DatabaseSchema>();
  schema->name_ = name.get_string();
  if (version) {
    schema->version_ = version.get_string();
    if (!is_version(schema->version_)) {
      return syntax_error(value, "schema version \"" + schema->version_ + "\" not in format x.y.z");
    }
  }
  if (cksum) schema->cksum_ = cksum.get_string();

  for (const JsonMember& member : sorted_members(tables)) {
    if (auto checked = check_name(member.name, value); !checked) return checked.error();
    auto table = TableSchema::from_json(std::string(member.name), member.value);
    if (!table) return table.error();
    schema->tables_.push_back(std::move(*table));
  }
  for (TableSchema& table : schema->tables_) {
    for (ColumnSchema& column : table.columns) {
      if (auto done = resolve_reference(*schema, column, "key", column.type.key); !done)
        return done.error();
      if (!column.type.value) continue;
      if (auto done = resolve_reference(*schema, column, "value", *column.type.value); !done)
        return done.error();
    }
  }

  const auto declares = [](const TableSchema& table) { return table.declared_root; };
  const bool none = std::none_of(schema->tables_.begin(), schema->tables_.end(), declares);
  const bool all = std::all_of(schema->tables_.begin(), schema->tables_.end(), declares);
  for (TableSchema& table : schema->tables_) {
    table.is_root = none || table.declared_root;
    if (all) table.declared_root = false;
  }
  for (TableSchema& table : schema->tables_) {
    for (ColumnSchema& column : table.columns) {
      if (keeps_rows(*schema, column.type.key) ||
          (column.type.value && keeps_rows(*schema, *column.type.value))) {
        column.ephemeral = false;
      }
      // The server itself takes out references to rows that go.
      if (column.type.key.is_weak_ref() ||
          (column.type.value && column.type.value->is_weak_ref())) {
        column.is_mutable = true;
      }
    }
  }
  return std::shared_ptr<const DatabaseSchema>(std::move(schema));
}

Result<std::shared_ptr<const DatabaseSchema>> DatabaseSchema::from_text(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return value.error();
  return from_json(*value);
}

void DatabaseSchema::append_json(std::string& out) const {
  out += '{';
  MemberWriter members(out);
  if (!cksum_.empty()) members.string("cksum", cksum_);
  members.string("name", name_);
  members.name("tables") += '{';
  MemberWriter tables(out);
  for (const TableSchema& table : tables_) table.append_json(tables.name(table.name));
  out += '}';
  if (!version_.empty()) members.string("version", version_);
  out += '}';
}

std::optional<TableIndex> DatabaseSchema::find_table(std::string_view table) const {
  return find_name(tables_.begin(), tables_.end(), table);
}

}  // namespace tandem
