#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/table_updates.h"

namespace tandem {

/// What a source says of a database in its "_Server" (ovsdb-server(5)).
struct SourceRow {
  std::string schema;  ///< as text; empty: it has none yet
  bool clustered = false;
  bool relay = false;
  bool connected = false;
  bool leader = false;
  std::optional<Uuid> cid;
  std::int64_t index = 0;
};

/// The table Database of a source, followed by a monitor.
class SourceRows {
 public:
  /// Takes <table-updates2>: the first contents, or a change of them.
  Result<void> apply(JsonView updates);
  /// Nothing if the source does not serve the database.
  std::optional<SourceRow> find(std::string_view database) const;

 private:
  std::map<Uuid, RowRef> rows_;
};

}  // namespace tandem
