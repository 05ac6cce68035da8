#pragma once

#include <cstddef>
#include <optional>

#include "protocol/condition.h"
#include "protocol/datum_cursor.h"
#include "protocol/value_hash.h"

namespace tandem {

inline constexpr std::size_t kEmptyValueHash = 0x5bd1e995;

/// What a clause looks for that compares a column with a value: the column, and a hash of the value
/// (of one of its atoms; another one for no atoms). A row matches the clause only if it has the
/// key.
struct ValueKey {
  ColumnIndex column = 0;
  std::size_t value_hash = 0;

  /// Nothing when rows that match the clause cannot be found by a value.
  static std::optional<ValueKey> of(const Clause& clause);

  bool operator==(const ValueKey&) const = default;
  friend std::size_t hash_value(const ValueKey& key) { return key.value_hash * 31 + key.column; }
};

/// Calls f(hash) for each key that a row has in a column.
template <class F>
void for_each_value_hash(const Row& row, ColumnIndex column, F&& f) {
  const DatumView view = row.view(column);
  if (view.empty()) f(kEmptyValueHash);
  for (DatumCursor at(view); !at.done(); at.advance()) f(hash_of_atom(at.key()));
}

}  // namespace tandem
