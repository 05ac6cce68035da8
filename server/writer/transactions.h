#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "server/writer/client_port.h"
#include "server/writer/context.h"
#include "server/writer/lock_table.h"
#include "server/writer/outbox.h"

namespace tandem {

/// Clients' transactions: they are executed, wait until a "wait" is fulfilled (RFC 7047 section
/// 5.2.6), or go to the server that executes them in the place of this one. The writer's.
class Transactions {
 public:
  Transactions(WriterContext& context, Outbox& outbox, const LockTable& locks)
      : context_(context),
        clock_(context.clock),
        catalogue_(context.catalogue),
        outbox_(outbox),
        locks_(locks) {}

  void set_wait_limits(const WaitLimits& limits) { wait_limits_ = limits; }
  void transact(std::unique_ptr<TransactCall> call);
  /// RFC 7047 section 4.1.4.
  void cancel(SessionId session, const JsonId& id);
  /// The session is gone.
  void drop(SessionId session);
  /// Ends all waits in a database.
  void cancel_blocked(ServedDatabase& database);
  /// Tries those that are due, until nothing moves. Others wait for half a millisecond of it at
  /// most: a job of its own goes on.
  void retry_blocked(ServedDatabase& database);
  /// The same, and all are due.
  void retry_all(ServedDatabase& database);
  /// Ends waits that have timed out.
  void tick();
  /// When there is such a one.
  std::optional<std::int64_t> next_deadline_ms() const;

  /// Answers what a Forwarder had taken, behind all that was published before.
  void answer(std::unique_ptr<TransactCall> call);
  /// Executes here what a Forwarder had taken and did not hand on.
  void take_back(std::unique_ptr<TransactCall> call);

  /// Executes a transaction of the server's own (status columns, "_Server"), not refused by
  /// read-only. `operations` as in RFC 7047, without the database's name.
  TransactResult execute_internal(ServedDatabase& database, std::string_view operations);

 private:
  void execute(ServedDatabase& database, std::unique_ptr<TransactCall> call);
  /// Executes. True if it is done with; else it is to wait.
  bool try_transact(ServedDatabase& database, std::unique_ptr<TransactCall>& call,
                    std::int64_t now_ms);
  /// A transaction has been tried in vain for the first time.
  void wait(ServedDatabase& database, std::unique_ptr<TransactCall> call);
  /// Counts one that is to wait; false if its session may have no more of them.
  bool may_wait(TransactCall& call);
  /// Whether a transaction of the same session and id waits.
  bool is_blocked(const TransactCall& call) const;
  void finish(std::unique_ptr<TransactCall> call);
  void refuse(std::unique_ptr<TransactCall> call, Error error);
  void forward(ServedDatabase& database, std::unique_ptr<TransactCall> call);
  /// It waits elsewhere no longer.
  void end_forwarded_wait(const TransactCall& call);

  WriterContext& context_;
  const Clock& clock_;
  const Catalogue& catalogue_;
  Outbox& outbox_;
  const LockTable& locks_;
  WaitLimits wait_limits_;
};

}  // namespace tandem
