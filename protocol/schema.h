#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/type.h"

namespace tandem {

/// Index of a column in its table, of a table in its database.
using ColumnIndex = std::uint32_t;
using TableIndex = std::uint32_t;

/// The two columns that every row has (RFC 7047 section 3.2); a table's own columns follow.
inline constexpr ColumnIndex kUuidColumn = 0;
inline constexpr ColumnIndex kVersionColumn = 1;
inline constexpr ColumnIndex kFirstOwnColumn = 2;

/// RFC 7047 section 3.2 <column-schema>.
struct ColumnSchema {
  std::string name;
  ColumnType type;
  bool ephemeral = false;
  bool is_mutable = true;
  Datum default_value;  ///< immortal

  static Result<ColumnSchema> from_json(std::string name, JsonView value);
  void append_json(std::string& out) const;
};

/// RFC 7047 section 3.2 <table-schema>.
struct TableSchema {
  static constexpr std::uint32_t kNoLimit = std::numeric_limits<std::uint32_t>::max();

  std::string name;
  /// [0] _uuid, [1] _version, then the table's own, sorted by name.
  std::vector<ColumnSchema> columns;
  std::uint32_t max_rows = kNoLimit;
  bool is_root = false;  ///< as effective: true for all tables when the schema says it of none
  bool declared_root = false;  ///< for append_json(): says so, and not all tables do
  std::vector<std::vector<ColumnIndex>> indexes;

  /// By name, pseudo columns included.
  std::optional<ColumnIndex> find_column(std::string_view column) const;
  const ColumnSchema& column(ColumnIndex index) const { return columns[index]; }
  std::size_t own_columns() const { return columns.size() - kFirstOwnColumn; }

  static Result<TableSchema> from_json(std::string name, JsonView value);
  void append_json(std::string& out) const;

 private:
  void append_index(std::string& out, const std::vector<ColumnIndex>& index) const;
};

/// RFC 7047 section 3.2 <database-schema>. Immutable once read; shared by all threads.
class DatabaseSchema {
 public:
  static Result<std::shared_ptr<const DatabaseSchema>> from_json(JsonView value);
  static Result<std::shared_ptr<const DatabaseSchema>> from_text(std::string_view text);
  void append_json(std::string& out) const;

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }  ///< empty when the schema has none
  const std::string& cksum() const { return cksum_; }      ///< empty when the schema has none

  /// Sorted by name.
  const std::vector<TableSchema>& tables() const { return tables_; }
  const TableSchema& table(TableIndex index) const { return tables_[index]; }
  std::optional<TableIndex> find_table(std::string_view table) const;

 private:
  std::string name_;
  std::string version_;
  std::string cksum_;
  std::vector<TableSchema> tables_;
};

using SchemaRef = std::shared_ptr<const DatabaseSchema>;

}  // namespace tandem
