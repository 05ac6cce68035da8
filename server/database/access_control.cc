#include "server/database/access_control.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem {
namespace {

DatumView column_of(const TableSchema& schema, const Row& row, std::string_view name) {
  const std::optional<ColumnIndex> column = schema.find_column(name);
  return column ? row.view(*column) : DatumView();
}

/// Whether a set of strings holds one, or a map of strings has it as a value.
bool holds(const DatumView& datum, std::string_view text) {
  for (std::size_t i = 0; i < datum.size(); i++) {
    const AtomView atom = datum.is_map() ? datum.value(i) : datum.key(i);
    if (atom == AtomView(text)) return true;
  }
  return false;
}

}  // namespace

DatumView AccessControl::Permission::column(std::string_view name) const {
  return column_of(*schema, *row, name);
}

bool AccessControl::Permission::allows_insert_delete() const {
  const DatumView datum = column("insert_delete");
  return datum.size() == 1 && datum.key(0) == AtomView(true);
}

template <class Columns>
bool AccessControl::Permission::lists(const TableSchema& table, const Columns& columns) const {
  const DatumView listed = column("update");
  return std::all_of(columns.begin(), columns.end(), [&](const auto& changed) {
    return holds(listed, table.column(changed.column).name);
  });
}

AccessControl::AccessControl(const Database& database, std::string_view role,
                             std::string_view client_id)
    : database_(database), role_(role), client_id_(client_id) {
  if (!role.empty()) roles_ = database.schema()->find_table("RBAC_Role");
}

AccessControl::Permission AccessControl::permission_for(std::string_view table) const {
  const Table& roles = database_.table(*roles_);
  const std::optional<ColumnIndex> permissions = roles.schema().find_column("permissions");
  if (!permissions) return {};
  const ColumnType& type = roles.schema().column(*permissions).type;
  if (type.key.type != AtomicType::kString || !type.value || type.value->ref_table.empty())
    return {};

  Permission found;
  roles.for_each([&](const Row& role) {
    if (!holds(column_of(roles.schema(), role, "name"), role_)) return;
    const DatumView map = role.view(*permissions);
    const std::optional<std::size_t> at = map.find(AtomView(table));
    if (!at) return;
    const Table& target = database_.table(type.value->ref_table_index);
    if (const RowRef* const row = target.find(std::get<Uuid>(map.value(*at)))) {
      found = {row->get(), &target.schema()};
    }
  });
  return found;
}

bool AccessControl::owns(const Permission& permission, const TableSchema& table,
                         const Row& row) const {
  const DatumView authorization = permission.column("authorization");
  if (authorization.key_type() != AtomicType::kString) return false;
  for (std::size_t i = 0; i < authorization.size(); i++) {
    const AtomView atom = authorization.key(i);
    const std::string_view rule = *std::get_if<std::string_view>(&atom);
    if (rule.empty()) return true;
    if (client_id_.empty()) continue;  // nobody's rows are not those of a client without a name
    const std::size_t colon = rule.find(':');
    const DatumView datum = column_of(table, row, rule.substr(0, colon));
    if (colon == std::string_view::npos) {
      if (!datum.is_map() && holds(datum, client_id_)) return true;
    } else if (datum.is_map() && datum.key_type() == AtomicType::kString &&
               colon + 1 < rule.size()) {
      const auto at = datum.find(AtomView(rule.substr(colon + 1)));
      if (at && datum.value(*at) == AtomView(client_id_)) return true;
    }
  }
  return false;
}

Error AccessControl::prohibited(std::string_view what, TableIndex table) const {
  return Error{"permission error",
               fmt::format("RBAC rules for client \"{}\" role \"{}\" prohibit {} table \"{}\".",
                           client_id_.empty() ? "(null)" : client_id_, role_, what,
                           database_.table(table).schema().name),
               {}};
}

template <class Lets>
Result<void> AccessControl::check_rows(TableIndex table, std::span<const Row* const> rows,
                                       std::string_view what, Lets&& lets) const {
  const TableSchema& schema = database_.table(table).schema();
  const Permission permission = permission_for(schema.name);
  // Without any row only the table counts, as in ovsdb-server.
  const bool allowed = permission.row && (rows.empty() || lets(permission)) &&
                       std::all_of(rows.begin(), rows.end(),
                                   [&](const Row* row) { return owns(permission, schema, *row); });
  if (!allowed) return prohibited(what, table);
  return {};
}

Result<void> AccessControl::check_insert(TableIndex table, const Row& row) const {
  if (!roles_) return {};
  const Row* const rows[] = {&row};
  return check_rows(table, rows, "row insertion into",
                    [](const Permission& permission) { return permission.allows_insert_delete(); });
}

Result<void> AccessControl::check_update(TableIndex table, std::span<const ColumnValue> values,
                                         std::span<const Row* const> rows) const {
  if (!roles_) return {};
  return check_rows(table, rows, "modification of", [&](const Permission& permission) {
    return permission.lists(database_.table(table).schema(), values);
  });
}

Result<void> AccessControl::check_mutate(TableIndex table, std::span<const Mutation> mutations,
                                         std::span<const Row* const> rows) const {
  // Without mutations it only counts rows, which anyone may.
  if (!roles_ || mutations.empty()) return {};
  return check_rows(table, rows, "mutate operation on", [&](const Permission& permission) {
    return permission.lists(database_.table(table).schema(), mutations);
  });
}

Result<void> AccessControl::check_delete(TableIndex table, std::span<const Row* const> rows) const {
  if (!roles_) return {};
  return check_rows(table, rows, "row deletion from",
                    [](const Permission& permission) { return permission.allows_insert_delete(); });
}

}  // namespace tandem
