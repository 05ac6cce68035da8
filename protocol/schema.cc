#include "protocol/schema.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <set>

#include "protocol/json_parser.h"
#include "protocol/object_reader.h"

namespace tandem {

namespace {

using Member = json::key_value_pair;

/// The members of an object by name.
std::vector<const Member*> sorted_members(const json::object& object) {
  std::vector<const Member*> members;
  members.reserve(object.size());
  for (const Member& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  return members;
}

/// Tables and columns may be named by any <id> that does not begin with an underscore.
Result<void> check_name(std::string_view name, const json::value& where) {
  if (name.starts_with('_')) return syntax_error(&where, "names beginning with \"_\" are reserved");
  if (!is_id(name)) return syntax_error(&where, "name must be a valid id");
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

Result<std::vector<ColumnIndex>> index_from_json(const TableSchema& table,
                                                 const json::value& value) {
  std::vector<ColumnIndex> index;
  std::set<ColumnIndex> seen;
  const auto bad = [&] { return syntax_error(&value, "array of distinct column names expected"); };
  if (!value.is_array()) return bad();
  for (const json::value& element : value.get_array()) {
    if (!element.is_string()) return bad();
    const std::string_view name = element.get_string();
    const auto column = table.find_column(name);
    if (!column) return syntax_error(&value, std::string(name) + " is not a valid column name");
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

Result<ColumnSchema> ColumnSchema::from_json(std::string name, const json::value& value) {
  ObjectReader reader(value, "schema for column " + name);
  const json::value* is_mutable = reader.optional("mutable", kJsonBoolean);
  const json::value* ephemeral = reader.optional("ephemeral", kJsonBoolean);
  const json::value* type_member = reader.required("type", kJsonString | kJsonObject);
  if (auto end = reader.finish(); !end) return end.error();
  auto type = ColumnType::from_json(*type_member);
  if (!type) return type.error();

  ColumnSchema column;
  column.name = std::move(name);
  column.type = std::move(*type);
  if (is_mutable) column.is_mutable = is_mutable->get_bool();
  if (ephemeral) column.ephemeral = ephemeral->get_bool();
  column.default_value = column.type.default_datum();
  return column;
}

json::value ColumnSchema::to_json() const {
  json::object object;
  object.emplace("type", type.to_json());
  if (!is_mutable) object.emplace("mutable", false);
  if (ephemeral) object.emplace("ephemeral", true);
  return object;
}

// Tables.

std::optional<ColumnIndex> TableSchema::find_column(std::string_view column) const {
  if (column == columns[kUuidColumn].name) return kUuidColumn;
  if (column == columns[kVersionColumn].name) return kVersionColumn;
  auto found = find_name(columns.begin() + kFirstOwnColumn, columns.end(), column);
  if (found) *found += kFirstOwnColumn;
  return found;
}

Result<TableSchema> TableSchema::from_json(std::string name, const json::value& value) {
  ObjectReader reader(value, "table schema for table " + name);
  const json::value* columns = reader.required("columns", kJsonObject);
  const json::value* max_rows = reader.optional("maxRows", kJsonInteger);
  const json::value* is_root = reader.optional("isRoot", kJsonBoolean);
  const json::value* indexes = reader.optional("indexes", kJsonArray);
  if (auto end = reader.finish(); !end) return end.error();

  TableSchema table;
  table.name = std::move(name);
  if (max_rows) {
    std::int64_t limit = 0;
    as_integer(*max_rows, limit);
    if (limit <= 0) return syntax_error(&value, "maxRows must be at least 1");
    table.max_rows = static_cast<std::uint32_t>(std::min<std::int64_t>(limit, kNoLimit));
  }
  table.declared_root = is_root && is_root->get_bool();

  if (columns->get_object().empty())
    return syntax_error(&value, "table must have at least one column");
  table.columns.push_back(pseudo_column("_uuid"));
  table.columns.push_back(pseudo_column("_version"));
  for (const Member* member : sorted_members(columns->get_object())) {
    if (auto checked = check_name(member->key(), value); !checked) return checked.error();
    auto column = ColumnSchema::from_json(member->key(), member->value());
    if (!column) return column.error();
    table.columns.push_back(std::move(*column));
  }

  if (indexes) {
    for (const json::value& element : indexes->get_array()) {
      auto index = index_from_json(table, element);
      if (!index) return index.error();
      if (index->empty()) return syntax_error(&value, "index must have at least one column");
      for (const ColumnIndex column : *index) {
        if (!table.column(column).ephemeral) continue;
        return syntax_error(&value, "ephemeral columns (such as " + table.column(column).name +
                                        ") may not be indexed");
      }
      table.indexes.push_back(std::move(*index));
    }
  }
  return table;
}

json::value TableSchema::to_json() const {
  json::object object;
  json::object own;
  for (ColumnIndex i = kFirstOwnColumn; i < columns.size(); ++i)
    own.emplace(columns[i].name, columns[i].to_json());
  object.emplace("columns", std::move(own));
  if (max_rows != kNoLimit) object.emplace("maxRows", max_rows);
  if (declared_root) object.emplace("isRoot", true);
  if (!indexes.empty()) {
    json::array list;
    for (const auto& index : indexes) {
      json::array names;
      for (const ColumnIndex column : index) names.emplace_back(columns[column].name);
      list.emplace_back(std::move(names));
    }
    object.emplace("indexes", std::move(list));
  }
  return object;
}

// Databases.

namespace {

/// Whether rows live by being referred to from such values. A column of these is never ephemeral,
/// whatever the schema says: after a restart the rows would have no reason to be there.
bool keeps_rows(const DatabaseSchema& schema, const BaseType& base) {
  return base.is_strong_ref() && !schema.table(base.ref_table_index).is_root;
}

}  // namespace

Result<std::shared_ptr<const DatabaseSchema>> DatabaseSchema::from_json(const json::value& value) {
  ObjectReader reader(value, "database schema");
  const json::value* name = reader.required("name", kJsonId);
  const json::value* version = reader.optional("version", kJsonString);
  const json::value* cksum = reader.optional("cksum", kJsonString);
  const json::value* tables = reader.required("tables", kJsonObject);
  if (auto end = reader.finish(); !end) return end.error();

  auto schema = std::make_shared<DatabaseSchema>();
  schema->name_ = name->get_string();
  if (version) {
    schema->version_ = version->get_string();
    if (!is_version(schema->version_)) {
      return syntax_error(&value,
                          "schema version \"" + schema->version_ + "\" not in format x.y.z");
    }
  }
  if (cksum) schema->cksum_ = cksum->get_string();

  for (const Member* member : sorted_members(tables->get_object())) {
    if (auto checked = check_name(member->key(), value); !checked) return checked.error();
    auto table = TableSchema::from_json(member->key(), member->value());
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

json::value DatabaseSchema::to_json() const {
  json::object object;
  object.emplace("name", name_);
  if (!version_.empty()) object.emplace("version", version_);
  if (!cksum_.empty()) object.emplace("cksum", cksum_);
  json::object tables;
  for (const TableSchema& table : tables_) tables.emplace(table.name, table.to_json());
  object.emplace("tables", std::move(tables));
  return object;
}

std::optional<TableIndex> DatabaseSchema::find_table(std::string_view table) const {
  return find_name(tables_.begin(), tables_.end(), table);
}

}  // namespace tandem
