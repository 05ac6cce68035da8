#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/database/stored_database.h"
#include "server/writer/blocked_transactions.h"
#include "server/writer/client_port.h"
#include "server/writer/database_figures.h"
#include "server/writer/followers.h"
#include "server/writer/forwarded_waits.h"
#include "server/writer/forwarder.h"
#include "server/writer/write_right.h"

namespace tandem {

/// One served database and who waits on it. The writer's.
class ServedDatabase {
 public:
  /// `built_in`: "_Server", which clients may not write and nobody may remove.
  ServedDatabase(std::unique_ptr<StoredDatabase> database, std::int64_t now_ms,
                 bool built_in = false)
      : stored(std::move(database)), built_in_(built_in), compacted_ms_(now_ms) {}

  DatabaseInfoRef info;  ///< as clients' threads know it: Catalogue::renew()
  std::unique_ptr<StoredDatabase> stored;
  bool is_built_in() const { return built_in_; }
  bool is_relay() const { return info->relay; }
  /// Is the contents another server's, and this one's only a copy?
  bool is_copy() const { return backup_ || is_relay(); }

  // The role

  bool is_backup() const { return backup_; }
  /// `until_ms` as in set_deadline(). An active one forwards nothing.
  void set_role(bool backup, std::optional<std::int64_t> until_ms) {
    backup_ = backup;
    if (!is_copy()) forwarder = nullptr;
    set_deadline(until_ms);
  }
  /// Until this monotonic time it may be written, if it is no copy; nothing: for ever.
  void set_deadline(std::optional<std::int64_t> until_ms) {
    right_->end_at(is_copy() ? WriteRight::kNever : until_ms.value_or(WriteRight::kForever));
  }
  /// Otherwise writes answer "not allowed".
  bool may_write(const Clock& clock) const { return right_->holds(clock); }
  const WriteRightRef& right() const { return right_; }

  // The other server, if it is a copy

  struct Source {
    bool connected = true;     ///< false: a relay that has nothing yet, or has lost its source
    bool read_only = false;    ///< it takes no writes now; of a relay
    std::vector<Uuid> path{};  ///< the servers that a forwarded transaction comes through
  };
  Source source;
  std::shared_ptr<Forwarder> forwarder;  ///< takes what may write; null: that is executed here
  ForwardedWaits forwarded_waits;

  // Who waits

  BlockedTransactions blocked;
  bool retry_posted = false;  ///< a job goes on with those that are due
  CommitGate gate;
  Followers followers{gate};
  DatabaseFiguresRef figures = std::make_shared<DatabaseFigures>();

  // Compaction

  using Compacted = std::function<void(const Result<void>&)>;
  bool is_compacting() const { return compacting_; }
  void begin_compaction() { compacting_ = true; }
  /// It will be told, on the writer, how the compaction under way has ended.
  void await_compaction(Compacted told) { after_compaction_.push_back(std::move(told)); }
  /// It has ended, or could not begin. Returns who waits for its end.
  std::vector<Compacted> end_compaction(std::int64_t now_ms) {
    compacting_ = false;
    compacted_ms_ = now_ms;
    return std::exchange(after_compaction_, {});
  }
  /// When that was last tried, or the database was opened; monotonic.
  std::int64_t compacted_ms() const { return compacted_ms_; }

 private:
  const bool built_in_;
  bool backup_ = false;
  WriteRightRef right_ = std::make_shared<WriteRight>();
  bool compacting_ = false;
  std::int64_t compacted_ms_;
  std::vector<Compacted> after_compaction_;
};

/// The order in which gates are asked must not be that of addresses: simulations repeat runs.
struct ServedByName {
  bool operator()(const ServedDatabase* a, const ServedDatabase* b) const {
    if (a == nullptr || b == nullptr) return a == nullptr && b != nullptr;
    return a->info->name < b->info->name;
  }
};

}  // namespace tandem
