#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "protocol/operation.h"
#include "server/database/snapshot.h"

namespace tandem {

/// The rows of a table, as it was at one moment, that a "where" matches: found some at a time.
/// Lives in the answer to a select.
class SnapshotQuery final : public RowSearch {
 public:
  SnapshotQuery(std::shared_ptr<const TableSnapshot> table, Condition where)
      : table_(std::move(table)), where_(std::move(where)) {}

  bool find_some(std::size_t& place, std::vector<RowRef>& rows, std::size_t& budget) const override;
  std::size_t most() const override { return table_->size(); }

 private:
  const std::shared_ptr<const TableSnapshot> table_;
  const Condition where_;
};

}  // namespace tandem
