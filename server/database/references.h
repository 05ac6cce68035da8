#pragma once

#include <span>
#include <vector>

#include "protocol/row.h"

namespace tandem {

/// The keys or the values of a column that hold UUIDs of rows of a table (RFC 7047 section 3.2
/// "refTable").
struct ReferencePart {
  ColumnIndex column = 0;
  bool of_values = false;  ///< the values of a map, else the keys
  TableIndex target = 0;

  /// The UUIDs of a datum of this column; nothing for a row that does not exist.
  std::span<const Uuid> uuids(const Row* row) const {
    if (row == nullptr) return {};
    const DatumView view = row->view(column);
    return of_values ? view.uuid_values() : view.uuid_keys();
  }
};

/// All parts of a table's columns that refer to rows.
struct ReferenceParts {
  std::vector<ReferencePart> strong;
  std::vector<ReferencePart> weak;

  static ReferenceParts of(const TableSchema& table);
};

/// Calls removed(uuid) and added(uuid) for the references of one part in which two versions of a
/// row differ; null is a row that does not exist. Costs nothing when the versions share the datum.
/// A UUID that stands several times among a map's values is reported each time, and may be reported
/// as removed and added though it stayed.
template <class Removed, class Added>
void visit_reference_changes(const ReferencePart& part, const Row* before, const Row* after,
                             Removed&& removed, Added&& added) {
  if (before && after && before->datum(part.column).same(after->datum(part.column))) return;
  const std::span<const Uuid> old_uuids = part.uuids(before);
  const std::span<const Uuid> new_uuids = part.uuids(after);
  auto i = old_uuids.begin();
  auto j = new_uuids.begin();
  if (!part.of_values) {  // keys are sorted: walk them in step
    while (i != old_uuids.end() && j != new_uuids.end()) {
      if (*i == *j) {
        ++i;
        ++j;
      } else if (*i < *j) {
        removed(*i++);
      } else {
        added(*j++);
      }
    }
  }
  while (i != old_uuids.end()) removed(*i++);
  while (j != new_uuids.end()) added(*j++);
}

}  // namespace tandem
