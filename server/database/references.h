#pragma once

#include <span>
#include <vector>

#include "protocol/datum_cursor.h"
#include "protocol/row.h"

namespace tandem {

/// The keys or the values of a column that hold UUIDs of rows of a table (RFC 7047 section 3.2
/// "refTable").
struct ReferencePart {
  ColumnIndex column = 0;
  bool of_values = false;  ///< the values of a map, else the keys
  TableIndex target = 0;

  /// The UUIDs of a small datum of this column.
  std::span<const Uuid> uuids(const DatumView& piece) const {
    return of_values ? piece.uuid_values() : piece.uuid_keys();
  }
  /// Calls f(uuid) for each reference of a row in this column; never for a row that does not exist.
  template <class F>
  void for_each_uuid(const Row* row, F&& f) const {
    if (row == nullptr) return;
    const DatumView datum = row->view(column);
    for (std::size_t k = 0; k < datum.pieces(); k++) {
      for (const Uuid& uuid : uuids(datum.piece(k))) f(uuid);
    }
  }
};

/// All parts of a table's columns that refer to rows.
struct ReferenceParts {
  std::vector<ReferencePart> strong;
  std::vector<ReferencePart> weak;

  static ReferenceParts of(const TableSchema& table);
};

/// Calls removed(uuid) and added(uuid) for the references of one part in which two versions of a
/// row differ; null is a row that does not exist. Costs nothing where the versions share the datum
/// or a piece of it. A UUID that stands several times among a map's values is reported each time,
/// and may be reported as removed and added though it stayed.
template <class Removed, class Added>
void visit_reference_changes(const ReferencePart& part, const Row* before, const Row* after,
                             Removed&& removed, Added&& added) {
  if (before == nullptr) return part.for_each_uuid(after, added);
  if (after == nullptr) return part.for_each_uuid(before, removed);
  if (before->datum(part.column).same(after->datum(part.column))) return;
  DatumCursor i(before->view(part.column));
  DatumCursor j(after->view(part.column));
  const auto uuid_at = [&](const DatumCursor& at) -> const Uuid& {
    return part.uuids(at.piece())[at.at()];
  };
  while (!i.done() && !j.done()) {
    if (at_shared_piece(i, j)) {
      i.advance(i.left());
      j.advance(j.left());
      continue;
    }
    // Keys are sorted: walk them in step.
    const auto order = part.of_values ? compare(i.key(), j.key()) : uuid_at(i) <=> uuid_at(j);
    const bool stayed = order == 0 && uuid_at(i) == uuid_at(j);
    if (order <= 0 && !stayed) removed(uuid_at(i));
    if (order >= 0 && !stayed) added(uuid_at(j));
    if (order <= 0) i.advance();
    if (order >= 0) j.advance();
  }
  for (; !i.done(); i.advance()) removed(uuid_at(i));
  for (; !j.done(); j.advance()) added(uuid_at(j));
}

}  // namespace tandem
