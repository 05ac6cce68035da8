#pragma once

// What leaves the writer, in order.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "server/writer/served_database.h"

namespace tandem {

/// A reply that waits for the log to be on the disk.
struct DurableReply {
  std::shared_ptr<storage::LogFile> log;
  std::unique_ptr<TransactCall> call;
  WriteRightRef right;         ///< null: it wrote nothing
  DatabaseFiguresRef figures;  ///< null: its time is not counted
};

/// Something to publish when its database's log is written.
struct Outgoing {
  ServedDatabase* database = nullptr;  ///< null: tied to no log
  CommitRef commit;                    ///< for all client threads
  std::int64_t logged_us = 0;          ///< when the commit was; monotonic
  std::int64_t logged_ms() const { return logged_us / 1000; }
  /// A commit of a client that has not been in a "wait": how long it takes is the server's doing.
  bool is_timed() const { return commit != nullptr && call != nullptr && call->wait_bytes == 0; }
  std::unique_ptr<TransactCall> call;         ///< its reply
  bool durable = false;                       ///< the reply waits for fdatasync
  std::function<void(Result<void>)> written;  ///< told on the writer what became of the commit
  std::unique_ptr<NewMonitor> monitor;        ///< a monitor that begins:
  std::optional<Result<MonitorStart>> start;  ///< with this, once the log is written
  Mailbox* mailbox = nullptr;                 ///< of `task`
  Task task;

  bool only_reads() const { return monitor || (call && call->only_reads); }
};

}  // namespace tandem
