#include "server/config/db_remotes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "protocol/json/value.h"

namespace tandem {
namespace {

/// Of a target or a role; it is copied to all who have to do with it, and a longer one is none.
constexpr std::size_t kLongestText = 4096;

struct Resolved {
  ServedDatabase* database = nullptr;
  TableIndex table = 0;
  ColumnIndex column = 0;
  const TableSchema* table_schema = nullptr;
  const ColumnSchema* column_schema = nullptr;
};

Error path_error(std::string_view path, std::string_view what) {
  return {'"' + std::string(path) + "\": " + std::string(what), "", std::nullopt};
}

Result<Resolved> resolve(DatabaseServer& server, const ColumnPath& path, std::string_view text) {
  Resolved r;
  r.database = server.find(path.database);
  if (r.database == nullptr) return path_error(text, "no database named " + path.database);
  if (!r.database->info->available) return r;  // nothing is known of its tables yet
  const DatabaseSchema& schema = *r.database->info->schema;
  const std::optional<TableIndex> table = schema.find_table(path.table);
  if (!table) return path_error(text, "no table named " + path.table);
  r.table = *table;
  r.table_schema = &schema.table(*table);
  const std::optional<ColumnIndex> column = r.table_schema->find_column(path.column);
  if (!column)
    return path_error(text, "table \"" + path.table + "\" has no column \"" + path.column + '"');
  r.column = *column;
  r.column_schema = &r.table_schema->column(*column);
  return r;
}

Result<Resolved> resolve_text(DatabaseServer& server, std::string_view text) {
  const Result<ColumnPath> path = ColumnPath::parse(text);
  if (!path) return path.error();
  return resolve(server, path.value(), text);
}

template <class F>  // void(const Row&)
void for_each_row(const ServedDatabase& database, TableIndex table, F&& f) {
  const Snapshot snapshot = database.stored->database().snapshot();
  snapshot.tables[table].for_each(f);
}

/// Column values by name, for rows whose schema is the user's.
class RowReader {
 public:
  RowReader(const TableSchema& table, const Row& row) : table_(table), row_(row) {}

  template <class T>
  std::optional<T> get(std::string_view column) const {
    const std::optional<ColumnIndex> index = table_.find_column(column);
    if (!index) return std::nullopt;
    const DatumView view = row_.view(*index);
    if (view.is_map() || view.empty()) return std::nullopt;
    const AtomView atom = view.key(0);
    const T* value = std::get_if<T>(&atom);
    return value == nullptr ? std::nullopt : std::optional<T>(*value);
  }
  std::string text(std::string_view column) const {
    return std::string(get<std::string_view>(column).value_or("").substr(0, kLongestText));
  }

 private:
  const TableSchema& table_;
  const Row& row_;
};

/// The engine changes nothing, and tells nobody, when the values are the same.
void execute(DatabaseServer& server, ServedDatabase& database, const Json& operation) {
  server.transact_internal(database, to_text(operation));
}

DbRemote remote_of_row(const TableSchema& table, const Row& row) {
  const RowReader reader(table, row);
  DbRemote remote;
  remote.target = reader.text("target");
  remote.max_backoff_ms = reader.get<std::int64_t>("max_backoff");
  remote.inactivity_probe_ms = reader.get<std::int64_t>("inactivity_probe");
  remote.dscp = reader.get<std::int64_t>("dscp");
  remote.read_only = reader.get<bool>("read_only").value_or(false);
  remote.role = reader.text("role");
  remote.table = table.name;
  remote.row = row.uuid();
  return remote;
}

}  // namespace

Result<void> check_remotes_column(DatabaseServer& server, std::string_view path) {
  const Result<Resolved> resolved = resolve_text(server, path);
  if (!resolved) return resolved.error();
  return {};
}

std::vector<DbRemote> read_remotes(DatabaseServer& server, const ColumnPath& path) {
  std::vector<DbRemote> remotes;
  const Result<Resolved> resolved = resolve(server, path, "");
  if (!resolved) return remotes;
  const Resolved& r = resolved.value();
  if (r.table_schema == nullptr) return remotes;
  // As in ovsdb-server, a column that holds neither strings nor references names no remotes.
  if (r.column_schema->type.is_map()) return remotes;
  const BaseType& key = r.column_schema->type.key;
  const DatabaseSchema& schema = *r.database->info->schema;
  for_each_row(*r.database, r.table, [&](const Row& row) {
    const DatumView value = row.view(r.column);
    for (std::size_t i = 0; i < value.size(); ++i) {
      const AtomView atom = value.key(i);
      if (const auto* text = std::get_if<std::string_view>(&atom)) {
        if (!text->empty())
          remotes.push_back(
              DbRemote{std::string(text->substr(0, kLongestText)), {}, {}, {}, false, "", "", {}});
      } else if (const auto* uuid = std::get_if<Uuid>(&atom);
                 uuid != nullptr && !key.ref_table.empty()) {
        const RowRef referenced = r.database->stored->database().find(key.ref_table_index, *uuid);
        if (referenced)
          remotes.push_back(remote_of_row(schema.table(key.ref_table_index), *referenced));
      }
    }
  });
  return remotes;
}

void write_remote_status(DatabaseServer& server, const std::string& database_name,
                         const DbRemote& remote, const DbRemoteStatus& status) {
  ServedDatabase* database = server.find(database_name);
  if (database == nullptr || !remote.row || !database->may_write(server.clock())) return;
  const DatabaseSchema& schema = *database->info->schema;
  const std::optional<TableIndex> table = schema.find_table(remote.table);
  if (!table) return;
  const TableSchema& table_schema = schema.table(*table);
  if (!database->stored->database().find(*table, *remote.row)) return;
  Json row = Json::object();
  const auto has = [&](std::string_view name, AtomicType key, bool is_map) {
    const auto column = table_schema.find_column(name);
    if (!column) return false;
    const ColumnType& type = table_schema.column(*column).type;
    return type.key.type == key && type.is_map() == is_map;
  };
  if (has("is_connected", AtomicType::kBoolean, false)) row["is_connected"] = status.is_connected;
  if (has("status", AtomicType::kString, true)) {
    Json pairs = Json::array();
    for (const auto& [key, value] : status.status) pairs.push_back(Json::array({key, value}));
    row["status"] = Json::array({"map", std::move(pairs)});
  }
  if (row.empty()) return;
  const Json uuid = Json::array({"uuid", remote.row->to_string()});
  execute(server, *database,
          {{"op", "update"},
           {"table", remote.table},
           {"where", Json::array({Json::array({"_uuid", "==", uuid})})},
           {"row", std::move(row)}});
}

Result<std::string> read_string(DatabaseServer& server, std::string_view path) {
  const Result<Resolved> resolved = resolve_text(server, path);
  if (!resolved) return resolved.error();
  const Resolved& r = resolved.value();
  if (r.table_schema == nullptr) return Result<std::string>(boost::system::in_place_value, "");
  if (r.column_schema->type.key.type != AtomicType::kString || r.column_schema->type.is_map()) {
    return path_error(path, "type mismatch: the column holds no strings");
  }
  std::string found;
  for_each_row(*r.database, r.table, [&](const Row& row) {
    const DatumView value = row.view(r.column);
    for (std::size_t i = 0; found.empty() && i < value.size(); ++i)
      found = std::get<std::string_view>(value.key(i));
  });
  return Result<std::string>(boost::system::in_place_value, std::move(found));
}

DbFindings answer_query(DatabaseServer& server, const DbQuery& query) {
  DbFindings findings;
  for (const std::string& name : query.remotes) {
    Result<std::vector<DbRemote>> remotes;
    if (const Result<void> checked = check_remotes_column(server, name); !checked) {
      remotes = checked.error();
    } else {
      remotes = read_remotes(server, ColumnPath::parse(name).value());
    }
    findings.remotes.emplace(name, std::move(remotes));
  }
  for (const std::string& name : query.settings)
    findings.settings.emplace(name, read_string(server, name));
  return findings;
}

}  // namespace tandem
