#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "server/database/stored_database.h"
#include "server/writer/blocked_transactions.h"
#include "server/writer/client_port.h"
#include "server/writer/database_figures.h"
#include "server/writer/followers.h"
#include "server/writer/forwarded_waits.h"
#include "server/writer/forwarder.h"
#include "server/writer/server_row.h"
#include "server/writer/write_right.h"

namespace tandem {

/// One served database and who waits on it.
struct ServedDatabase {
  DatabaseInfoRef info;
  std::unique_ptr<StoredDatabase> stored;
  bool backup = false;                                   ///< another server's copy is the original
  WriteRightRef right = std::make_shared<WriteRight>();  ///< without it writes answer "not allowed"
  bool built_in = false;  ///< "_Server": clients may not write it, nobody may remove it
  bool connected = true;  ///< false: a relay that has nothing yet, or has lost its source
  std::shared_ptr<Forwarder> forwarder;  ///< takes what may write; null: that is executed here
  std::vector<Uuid> path;                ///< the servers that such a transaction comes through
  bool source_is_read_only = false;      ///< of a relay: its source takes no writes now
  ForwardedWaits forwarded_waits;
  bool is_relay() const { return info->relay; }
  BlockedTransactions blocked;
  bool retry_posted = false;  ///< a job goes on with those that are due
  CommitGate gate;
  Followers followers{gate};
  DatabaseFiguresRef figures = std::make_shared<DatabaseFigures>();
  bool compacting = false;
  /// Who waits for the end of the compaction under way; told on the writer how it ended.
  std::vector<std::function<void(const Result<void>&)>> after_compaction;
  std::int64_t compacted_ms = 0;        ///< when that was last tried, or it was opened; monotonic
  std::optional<ServerRow> shown;       ///< its row in "_Server"
  std::optional<ServerRow> advertised;  ///< the last one that showed a role
};

/// The order in which gates are asked must not be that of addresses: simulations repeat runs.
struct ServedByName {
  bool operator()(const ServedDatabase* a, const ServedDatabase* b) const {
    if (a == nullptr || b == nullptr) return a == nullptr && b != nullptr;
    return a->info->name < b->info->name;
  }
};

}  // namespace tandem
