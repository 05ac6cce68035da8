#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "protocol/monitor.h"
#include "protocol/operation.h"

namespace tandem {

/// One row of a monitor's reply or notification, as its receiver reads it. What it does to a row
/// depends on the version that the receiver holds, so it is kept apart from RowChange.
struct RowUpdate {
  enum class Kind : std::uint8_t {
    kInsert,      ///< the row is new; columns that are not listed have their default
    kSet,         ///< the listed columns have these values now (`update`)
    kDifference,  ///< the listed columns change by these differences (`update2`)
    kDelete,      ///< the row is gone
  };
  TableIndex table = 0;
  Uuid uuid;
  Kind kind = Kind::kInsert;
  std::vector<ColumnValue> columns;
  std::optional<Uuid> version;  ///< the sender's _version; nothing: it told none
};

/// Reads <table-updates> of RFC 7047 section 4.1.6 or <table-updates2> of ovsdb-server(7) under the
/// receiver's schema. A table or column that the schema has not is an error, and so is a row that
/// is named twice.
Result<std::vector<RowUpdate>> table_updates_from_json(const DatabaseSchema& schema,
                                                       MonitorVersion version, JsonView updates);

/// The version of a row after an update, with the sender's _version, or a
/// new one. `before` is null for a row that the
/// receiver has not. Null for a deleted row; an error when the update does not fit what the
/// receiver holds (an insert of a row it has, a change of one it has not).
Result<RowRef> updated_row(const DatabaseSchema& schema, const RowUpdate& update,
                           const RowRef& before);

}  // namespace tandem
