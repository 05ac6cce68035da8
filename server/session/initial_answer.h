#pragma once

// The first answer of a monitor: all rows that it asks for. Made piece by piece while the socket
// takes it, so that nobody waits for a large database to be written as JSON, and no client holds
// all of it in memory. Clients that download at the same time share the texts of chunks of rows.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/monitor.h"
#include "server/database/snapshot.h"
#include "server/session/connection_port.h"

namespace tandem {

/// The rows of one table as initial answers have them, by chunk; for all answers under way that ask
/// for the same columns, and gone with the last of them. One thread.
class TableTexts {
 public:
  /// For the columns and version of this request's table, which has no condition.
  TableTexts(const MonitorRequest& request, const MonitoredTable& table)
      : schema_(request.schema), version_(request.version), table_(table) {}

  bool serves(const MonitorRequest& request, const MonitoredTable& table) const;
  /// The text of a chunk, the table's `index`th. Remembers the newest version of each chunk if
  /// `kept`, because others may ask for it.
  SharedText rows(std::size_t index, const ChunkRef& chunk, const MonitorRequest& request,
                  const MonitoredTable& table, bool kept);

 private:
  struct Entry {
    ChunkRef chunk;  ///< held, so that no other gets its address
    SharedText text;
  };
  const SchemaRef schema_;
  const MonitorVersion version_;
  const MonitoredTable table_;
  std::vector<Entry> entries_;
};

/// Who shares texts with whom; one a thread.
class TextLibrary {
 public:
  /// Those of a table without condition; made if nobody uses them now.
  std::shared_ptr<TableTexts> texts(const MonitorRequest& request, const MonitoredTable& table);

 private:
  std::vector<std::weak_ptr<TableTexts>> texts_;
};

/// The answer of one monitor.
class InitialAnswer final : public TextSource {
 public:
  /// By place of a table in the request: the rows that its condition may match, if they are known.
  using FoundRows = std::vector<std::optional<std::vector<RowRef>>>;

  /// `head` and `tail` enclose the <table-updates>. `unfinished` is held until the end.
  InitialAnswer(std::string head, MonitorRequestRef request, Snapshot snapshot, FoundRows found,
                std::string tail, TextLibrary& library, std::shared_ptr<const void> unfinished);

  SharedText next() override;
  std::unique_ptr<Remains> remains() override;

 private:
  /// The rows of the next chunks of the present table, until there are some, or it is someone
  /// else's turn.
  SharedText next_rows(const MonitoredTable& table);
  /// The same of rows that were found.
  SharedText next_found(const MonitoredTable& table, const std::vector<RowRef>& found);

  const std::string head_;
  const MonitorRequestRef request_;
  Snapshot snapshot_;
  FoundRows found_;
  const std::string tail_;
  const std::shared_ptr<const void> unfinished_;
  std::vector<std::shared_ptr<TableTexts>> texts_;  ///< by place in the request; null: conditional

  bool begun_ = false;
  bool ended_ = false;
  std::size_t table_ = 0;  ///< in the request
  std::size_t chunk_ = 0;  ///< the next of the table, or of 128 rows that were found
  bool any_table_ = false;
  bool in_table_ = false;  ///< its name has been sent
  SharedText held_;        ///< comes next
};

}  // namespace tandem
