#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "server/session/net_changes.h"

namespace tandem {

/// The fate of the rows of one table over several net changes, a row after the other. A row
/// costs the logarithm of the number of changes for each that has it. Borrows the changes; one
/// thread.
class MergedRows {
 public:
  /// Null: there is no such row before, or after.
  struct Change {
    const Row* before = nullptr;
    const Row* after = nullptr;
  };

  MergedRows(const NetParts& parts, TableIndex table);

  /// The next row; nothing at the end, or while the rows are still being sorted. `budget` goes down
  /// by what was looked at. Requires a budget.
  std::optional<Change> next(std::size_t& budget);
  bool ended() const { return ended_; }

 private:
  using Place = NetChanges::SortedRows::const_iterator;
  /// The rows of one part that are still to come.
  struct Source {
    Place next;
    Place end;
    std::size_t part;
  };
  struct Later {
    bool operator()(const Source& a, const Source& b) const;
  };

  /// False while there is more to sort.
  bool sort_some(std::size_t& budget);
  /// The oldest change of the row that is the next, which is passed.
  const NetChanges::Rows::value_type& take();
  std::optional<Change> next_of_one();

  const NetParts& parts_;
  const TableIndex table_;
  bool ended_ = false;

  // Of one part: in its own order.
  const NetChanges::Rows* rows_ = nullptr;
  NetChanges::Rows::const_iterator row_;

  // Of several.
  std::size_t sorted_ = 0;       ///< parts
  std::vector<Source> sources_;  ///< a heap when all are sorted: the next row is at the front
};

}  // namespace tandem
