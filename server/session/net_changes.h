#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>

#include "protocol/row.h"

namespace tandem {

/// Several commits' changes merged, row by row, into one change from the oldest version to the
/// newest. Costs memory in proportion to the rows touched, however often.
class NetChanges {
 public:
  using Rows = boost::unordered_flat_map<Uuid, RowChange>;

  /// A change after all that are merged so far.
  void add(const RowChange& change);
  /// Adds changes that came after these, or before them.
  void add_later(const NetChanges& later);
  void add_earlier(const NetChanges& earlier);

  /// Of rows that came and went nothing is left.
  const std::map<TableIndex, Rows>& tables() const { return tables_; }
  std::size_t size() const { return size_; }

 private:
  std::map<TableIndex, Rows> tables_;  // the same UUID may live in two tables
  std::size_t size_ = 0;
};

}  // namespace tandem
