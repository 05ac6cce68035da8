#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>

#include "server/database/access_control.h"
#include "server/database/drafts.h"
#include "server/database/row_query.h"

namespace tandem {

/// One try of one transaction (RFC 7047 section 4.1.3): its operations in order over drafts, then
/// the checks of the commit. Changes nothing but the drafts; the caller applies the commit. Lives
/// for the call, on the writer.
class TransactionExecution {
 public:
  TransactionExecution(const Database& database, Transaction& transaction,
                       const TransactContext& context);

  TransactOutcome run();

 private:
  /// A result; nothing: the transaction has to wait.
  using Step = std::optional<OperationResult>;

  Step execute(const InsertOp& op);
  Step execute(const SelectOp& op);
  Step execute(const UpdateOp& op);
  Step execute(const MutateOp& op);
  Step execute(const DeleteOp& op);
  Step execute(const WaitOp& op);
  Step execute(const CommitOp& op);
  Step execute(const AbortOp& op);
  Step execute(const CommentOp& op);
  Step execute(const AssertOp& op);

  /// A row of this UUID is there, or was deleted by this transaction.
  bool exists(TableIndex table, const Uuid& uuid) const;
  /// The rows of a select of a table that is as it was, found while the answer leaves, if selects
  /// have looked at many already; else null.
  std::shared_ptr<const RowSearch> find_later(const SelectOp& op);
  /// The operations, until one fails or waits. False if one waits.
  bool run_operations();
  void commit();

  Drafts drafts_;
  Transaction& transaction_;
  const TransactContext& context_;
  const AccessControl access_;
  TransactOutcome outcome_;
  std::size_t looked_ = 0;  ///< rows that selects have tried
  std::size_t held_ = 0;    ///< rows in their results
  boost::unordered_flat_map<TableIndex, std::shared_ptr<const TableSnapshot>> snapshots_;
  std::string comment_;
};

}  // namespace tandem
