#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>
#include <vector>

#include "protocol/row.h"

namespace tandem {

/// Several commits' changes merged, row by row, into one change from the oldest version to the
/// newest. Costs memory in proportion to the rows touched, however often.
class NetChanges {
 public:
  void add(const RowChange& change);
  bool empty() const { return rows_.empty(); }
  /// Grouped by table, in order of table index.
  std::vector<RowChange> take();

 private:
  boost::unordered_flat_map<std::pair<TableIndex, Uuid>, RowChange> rows_;
};

}  // namespace tandem
