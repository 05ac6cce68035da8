#pragma once

#include <vector>

#include "protocol/row.h"

namespace tandem {

/// The keys or the values of a column that hold UUIDs of rows of a table (RFC 7047 section 3.2
/// "refTable").
struct ReferencePart {
  ColumnIndex column = 0;
  bool of_values = false;  ///< the values of a map, else the keys
  TableIndex target = 0;

  Uuid at(const DatumView& datum, std::size_t i) const {
    return std::get<Uuid>(of_values ? datum.value(i) : datum.key(i));
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
  const DatumView old_view = before ? before->view(part.column) : DatumView();
  const DatumView new_view = after ? after->view(part.column) : DatumView();
  std::size_t i = 0;
  std::size_t j = 0;
  if (!part.of_values) {  // keys are sorted: walk them in step
    while (i < old_view.size() && j < new_view.size()) {
      const Uuid old_uuid = part.at(old_view, i);
      const Uuid new_uuid = part.at(new_view, j);
      if (old_uuid < new_uuid) {
        removed(old_uuid);
        i++;
      } else if (new_uuid < old_uuid) {
        added(new_uuid);
        j++;
      } else {
        i++;
        j++;
      }
    }
  }
  for (; i < old_view.size(); i++) removed(part.at(old_view, i));
  for (; j < new_view.size(); j++) added(part.at(new_view, j));
}

}  // namespace tandem
