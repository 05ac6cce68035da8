#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "protocol/operation.h"
#include "server/database/drafts.h"

namespace tandem {

/// Role-based access control (ovsdb-server(7), "RBAC_Role" in ovn-sb(5)): what a role may do, as
/// the database's own tables RBAC_Role and its permission rows say when the transaction executes. A
/// row is owned by a client when one of the columns that the permission's "authorization" names
/// (COLUMN, or COLUMN:KEY of a map) holds its id; "" makes everyone an owner. Made for one
/// transaction, on the writer; borrows the context's texts.
class AccessControl {
 public:
  /// An empty role may do everything, and so may any role if the schema has no table RBAC_Role.
  AccessControl(const Database& database, std::string_view role, std::string_view client_id);

  // Each returns a "permission error", or success.

  Result<void> check_insert(TableIndex table, const Row& row) const;
  Result<void> check_update(TableIndex table, std::span<const ColumnValue> values,
                            std::span<const Row* const> rows) const;
  Result<void> check_mutate(TableIndex table, std::span<const Mutation> mutations,
                            std::span<const Row* const> rows) const;
  Result<void> check_delete(TableIndex table, std::span<const Row* const> rows) const;

 private:
  /// The permission row for a table, or null; with the table that it stands in.
  struct Permission {
    const Row* row = nullptr;
    const TableSchema* schema = nullptr;

    DatumView column(std::string_view name) const;
    bool allows_insert_delete() const;
    /// Whether "update" lists all these columns of the table.
    template <class Columns>
    bool lists(const TableSchema& table, const Columns& columns) const;
  };
  Permission permission_for(std::string_view table) const;
  bool owns(const Permission& permission, const TableSchema& table, const Row& row) const;
  /// The client owns all rows, and the permission lets it do what it wants.
  template <class Lets>  // bool(const Permission&)
  Result<void> check_rows(TableIndex table, std::span<const Row* const> rows, std::string_view what,
                          Lets&& lets) const;
  Error prohibited(std::string_view what, TableIndex table) const;

  const Database& database_;
  const std::string_view role_;
  const std::string_view client_id_;
  std::optional<TableIndex> roles_;  ///< table RBAC_Role; nothing: everything is allowed
};

}  // namespace tandem
