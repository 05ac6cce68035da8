#pragma once

#include <span>
#include <utility>
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
    if (!datum.is_list()) {
      for (const Uuid& uuid : uuids(datum)) f(uuid);
      return;
    }
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

/// The same as visit_reference_changes() for two small datums, from elements i and j on, to the end
/// of one of them: where i and j then are.
template <class Removed, class Added>
std::pair<std::size_t, std::size_t> visit_small_changes(const ReferencePart& part,
                                                        const DatumView& before, std::size_t i,
                                                        const DatumView& after, std::size_t j,
                                                        Removed&& removed, Added&& added) {
  const std::span<const Uuid> olds = part.uuids(before);
  const std::span<const Uuid> news = part.uuids(after);
  // Keys are sorted: walk them in step.
  while (!part.of_values && i < olds.size() && j < news.size()) {
    if (olds[i] == news[j]) {
      ++i;
      ++j;
    } else if (olds[i] < news[j]) {
      removed(olds[i++]);
    } else {
      added(news[j++]);
    }
  }
  while (part.of_values && i < olds.size() && j < news.size()) {
    const std::strong_ordering order = compare(before.key(i), after.key(j));
    const bool stayed = order == 0 && olds[i] == news[j];
    if (order <= 0 && !stayed) removed(olds[i]);
    if (order >= 0 && !stayed) added(news[j]);
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
  return {i, j};
}

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
  const DatumView olds = before->view(part.column);
  const DatumView news = after->view(part.column);
  if (!olds.is_list() && !news.is_list()) {
    const auto [i, j] = visit_small_changes(part, olds, 0, news, 0, removed, added);
    for (const Uuid& uuid : part.uuids(olds).subspan(i)) removed(uuid);
    for (const Uuid& uuid : part.uuids(news).subspan(j)) added(uuid);
    return;
  }
  DatumCursor i(olds);
  DatumCursor j(news);
  while (!i.done() && !j.done()) {
    if (at_shared_piece(i, j)) {
      i.advance(i.left());
      j.advance(j.left());
      continue;
    }
    const auto [old_end, new_end] =
        visit_small_changes(part, i.piece(), i.at(), j.piece(), j.at(), removed, added);
    i.advance(old_end - i.at());
    j.advance(new_end - j.at());
  }
  for (; !i.done(); i.advance(i.left())) {
    for (const Uuid& uuid : part.uuids(i.piece()).subspan(i.at())) removed(uuid);
  }
  for (; !j.done(); j.advance(j.left())) {
    for (const Uuid& uuid : part.uuids(j.piece()).subspan(j.at())) added(uuid);
  }
}

}  // namespace tandem
