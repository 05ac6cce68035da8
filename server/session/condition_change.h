#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/monitor.h"
#include "server/database/snapshot.h"
#include "server/session/connection_port.h"
#include "server/session/row_lookup.h"

namespace tandem {

/// The update that a change of conditions causes: rows that come, and rows that go. Made while the
/// socket takes it, from the rows that were found by their values, or from all rows of a snapshot.
class ConditionChange final : public TextSource {
 public:
  /// A table whose condition changes.
  struct Table {
    std::size_t place = 0;  ///< in both requests
    /// That one of the conditions may match, but not both; nothing: any of the table.
    std::optional<std::vector<RowRef>> rows;
    std::vector<std::shared_ptr<RowLookup>> lookups;  ///< to be loaded with all rows
  };
  /// The requests differ in nothing but their conditions. `head` begins the update. `loader` is
  /// that of the lookups; `unfinished` is held until the end.
  ConditionChange(std::string head, MonitorRequestRef before, MonitorRequestRef after,
                  Snapshot snapshot, std::vector<Table> tables, std::shared_ptr<const void> loader,
                  std::shared_ptr<const void> unfinished);

  SharedText next() override;
  std::unique_ptr<Remains> remains() override;

 private:
  /// Some rows of the present table. False when there are no more.
  bool compare_some(Table& table);
  void compare(const Table& table, const Row& row);
  SharedText written();

  std::string head_;
  const MonitorRequestRef before_;
  const MonitorRequestRef after_;
  const Snapshot snapshot_;
  std::vector<Table> tables_;
  const std::shared_ptr<const void> loader_;
  const std::shared_ptr<const void> unfinished_;

  std::string text_;
  UpdateWriter writer_;
  std::size_t table_ = 0;
  std::size_t at_ = 0;  ///< the next of the table's rows or chunks
  bool ended_ = false;
};

}  // namespace tandem
