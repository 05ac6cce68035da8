#include "server/database/transaction_execution.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "server/database/commit_check.h"
#include "server/database/snapshot_query.h"

namespace tandem {
namespace {

/// The name of an operation that a read-only server refuses, or null.
struct RefusedName {
  const char* operator()(const InsertOp&) const { return "insert"; }
  const char* operator()(const UpdateOp&) const { return "update"; }
  const char* operator()(const MutateOp&) const { return "mutate"; }
  const char* operator()(const DeleteOp&) const { return "delete"; }
  const char* operator()(const CommitOp&) const { return "commit"; }
  const char* operator()(const SelectOp&) const { return nullptr; }
  const char* operator()(const WaitOp&) const { return nullptr; }
  const char* operator()(const AbortOp&) const { return nullptr; }
  const char* operator()(const CommentOp&) const { return nullptr; }
  const char* operator()(const AssertOp&) const { return nullptr; }
};

/// So many rows the selects of one transaction may try before those of whole tables are left to the
/// answer (snapshot_query.h), and so many they may hold. A transaction may have very many selects,
/// each of all rows: without bounds it would cost the product of both.
constexpr std::size_t kMostTried = 32'768;
constexpr std::size_t kMostHeld = std::size_t{16} << 20;
/// A copy of a row counts as so many that are only referred to.
constexpr std::size_t kHeldByCopy = 16;

Error duplicate_uuid(const Uuid& uuid, const std::string& table) {
  return Error{"duplicate uuid",
               fmt::format("This UUID would duplicate a UUID already present within the \"{}\" "
                           "table or deleted from this table within the same transaction.",
                           table),
               '"' + uuid.to_string() + '"'};
}

/// Some columns of a row.
using Projection = std::vector<DatumView>;

struct LessProjection {
  bool operator()(const Projection& a, const Projection& b) const {
    return std::lexicographical_compare(
        a.begin(), a.end(), b.begin(), b.end(),
        [](const DatumView& x, const DatumView& y) { return compare(x, y) < 0; });
  }
};

/// Whether rows, seen through some columns, are the expected ones, both taken as sets.
bool same_rows(const FoundRows& rows, const std::vector<ColumnIndex>& columns,
               const std::vector<std::vector<Datum>>& expected) {
  std::set<Projection, LessProjection> wanted;
  for (const std::vector<Datum>& row : expected) {
    Projection projection;
    for (const Datum& datum : row) projection.push_back(datum.view());
    wanted.insert(std::move(projection));
  }
  std::set<Projection, LessProjection> seen;
  for (const Row* const row : rows) {
    Projection projection;
    for (const ColumnIndex column : columns) projection.push_back(row->view(column));
    if (!wanted.contains(projection)) return false;
    seen.insert(std::move(projection));
  }
  return seen.size() == wanted.size();
}

/// Whether a column that is not ephemeral, or a row as such, changed: what the log is to hold.
bool is_persistent(const RowChange& change, const TableSchema& schema) {
  if (!change.before || !change.after) return true;
  for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
    if (!schema.column(i).ephemeral && !change.before->datum(i).same(change.after->datum(i))) {
      return true;
    }
  }
  return false;
}

}  // namespace

TransactionExecution::TransactionExecution(const Database& database, Transaction& transaction,
                                           const TransactContext& context)
    : drafts_(database),
      transaction_(transaction),
      context_(context),
      access_(database, context.role, context.client_id) {}

TransactOutcome TransactionExecution::run() {
  outcome_.result.count = transaction_.count;
  if (!run_operations()) {
    outcome_.blocked = true;
    outcome_.result = {};
  } else if (!outcome_.result.failed()) {
    commit();
  }
  return std::move(outcome_);
}

bool TransactionExecution::run_operations() {
  auto& results = outcome_.result.results;
  results.reserve(transaction_.count + 1);
  for (const Operation& operation : transaction_.operations) {
    Step step = std::visit([this](const auto& op) { return execute(op); }, operation);
    if (!step) return false;
    const bool failed = std::holds_alternative<Error>(*step);
    // ovsdb-server refuses after the fact: an operation that fails by itself says why.
    const bool refuses = (context_.read_only || context_.reserved) && !failed;
    const char* const refused = refuses ? std::visit(RefusedName(), operation) : nullptr;
    if (refused) {
      const std::string why =
          context_.reserved ? "on table in reserved database " + drafts_.database().schema()->name()
                            : "when database server is in read only mode";
      step = Error{"not allowed", fmt::format("{} operation not allowed {}", refused, why), {}};
    }
    results.push_back(std::move(*step));
    if (failed || refused) return true;
  }
  if (transaction_.error) {
    const auto& requested = transaction_.error_insert;
    results.emplace_back(
        requested && exists(requested->table, requested->uuid)
            ? duplicate_uuid(requested->uuid, drafts_.schema(requested->table).name)
            : *transaction_.error);
  }
  return true;
}

void TransactionExecution::commit() {
  auto changes = finish_drafts(drafts_);
  if (!changes) {
    outcome_.result.results.emplace_back(changes.error());
    return;
  }
  if (changes->empty()) return;  // ovsdb-server does not record a comment without a change either
  auto commit = std::make_shared<Commit>();
  const DatabaseSchema& schema = *transaction_.schema;
  commit->persistent = std::any_of(changes->begin(), changes->end(), [&](const RowChange& change) {
    return is_persistent(change, schema.table(change.table));
  });
  commit->schema = transaction_.schema;
  commit->changes = std::move(*changes);
  commit->comment = std::move(comment_);
  commit->durable = outcome_.durable;
  outcome_.commit = std::move(commit);
}

// The operations, RFC 7047 section 5.2.

bool TransactionExecution::exists(TableIndex table, const Uuid& uuid) const {
  const Draft* const draft = drafts_.draft_of(table, uuid);
  return drafts_.find(table, uuid) || (draft && draft->deleted());
}

TransactionExecution::Step TransactionExecution::execute(const InsertOp& op) {
  const TableSchema& schema = drafts_.schema(op.table);
  if (op.uuid && exists(op.table, *op.uuid)) return duplicate_uuid(*op.uuid, schema.name);
  RowDraft row = Row::create(schema, op.row_uuid);
  for (const ColumnValue& value : op.row) row->set(value.column, value.datum);
  row->set_version(Uuid::random());
  if (auto allowed = access_.check_insert(op.table, *row); !allowed) return allowed.error();
  drafts_.insert(op.table, std::move(row));
  return InsertedResult{op.row_uuid};
}

TransactionExecution::Step TransactionExecution::execute(const SelectOp& op) {
  RowsResult result{&drafts_.schema(op.table), transaction_.schema, op.columns, op.sort, {}, {}};
  result.more = find_later(op);
  if (result.more != nullptr) return result;
  if (held_ >= kMostHeld)
    return Error{"resources exhausted",
                 fmt::format("The selects of one transaction hold {} rows.", held_), std::nullopt};
  const FoundRows rows = find_rows(drafts_, op.table, op.where);
  held_ += rows.size();
  result.rows.reserve(rows.size());
  for (const Row* const row : rows) {
    // Later operations may write on a draft; what this one saw must stay.
    const bool drafted = drafts_.draft_of(op.table, row->uuid()) != nullptr;
    result.rows.push_back(drafted ? RowRef(Row::clone(*row)) : RowRef(row));
    if (drafted) held_ += kHeldByCopy;
  }
  return result;
}

std::shared_ptr<const RowSearch> TransactionExecution::find_later(const SelectOp& op) {
  const Table& table = drafts_.database().table(op.table);
  if (table.size() <= RowChunk::kRows || !tries_all(table, op.where)) return nullptr;
  looked_ += table.size();
  if (looked_ == table.size() || looked_ <= kMostTried || drafts_.has_any_of(op.table))
    return nullptr;
  std::shared_ptr<const TableSnapshot>& snapshot = snapshots_[op.table];
  if (snapshot == nullptr) snapshot = std::make_shared<const TableSnapshot>(table.snapshot());
  return std::make_shared<const SnapshotQuery>(snapshot, op.where);
}

TransactionExecution::Step TransactionExecution::execute(const UpdateOp& op) {
  const FoundRows rows = find_rows(drafts_, op.table, op.where);
  if (auto allowed = access_.check_update(op.table, op.row, rows); !allowed) return allowed.error();
  for (const Row* row : rows) {
    for (const ColumnValue& value : op.row) {
      if (row->datum(value.column) == value.datum) continue;
      Row& draft = drafts_.modify(op.table, row->uuid());
      draft.set(value.column, value.datum);
      row = &draft;
    }
  }
  return CountResult{rows.size()};
}

TransactionExecution::Step TransactionExecution::execute(const MutateOp& op) {
  const FoundRows rows = find_rows(drafts_, op.table, op.where);
  if (auto allowed = access_.check_mutate(op.table, op.mutations, rows); !allowed) {
    return allowed.error();
  }
  const TableSchema& schema = drafts_.schema(op.table);
  for (const Row* const row : rows) {
    // The row counts as touched even if no value changes: of several errors that of the table that
    // was touched first is named.
    Row& draft = drafts_.modify(op.table, row->uuid());
    for (const Mutation& mutation : op.mutations) {
      auto datum = mutation.apply(schema.column(mutation.column), draft.datum(mutation.column));
      if (!datum) return datum.error();
      if (!(draft.datum(mutation.column) == *datum)) draft.set(mutation.column, std::move(*datum));
    }
  }
  return CountResult{rows.size()};
}

TransactionExecution::Step TransactionExecution::execute(const DeleteOp& op) {
  const FoundRows rows = find_rows(drafts_, op.table, op.where);
  if (auto allowed = access_.check_delete(op.table, rows); !allowed) return allowed.error();
  for (const Row* const row : rows) drafts_.remove(op.table, Uuid(row->uuid()));
  return CountResult{rows.size()};
}

TransactionExecution::Step TransactionExecution::execute(const WaitOp& op) {
  const FoundRows rows = find_rows(drafts_, op.table, op.where);
  if (same_rows(rows, op.columns, op.rows) == op.equal) return EmptyResult{};
  if (!op.timeout_ms || context_.waited_ms < *op.timeout_ms) {
    outcome_.timeout_ms = op.timeout_ms;
    return std::nullopt;
  }
  return Error{"timed out",
               context_.waited_ms == 0
                   ? "\"where\" clause test failed"
                   : fmt::format("\"wait\" timed out after {} ms", context_.waited_ms),
               {}};
}

TransactionExecution::Step TransactionExecution::execute(const CommitOp& op) {
  if (op.durable) outcome_.durable = true;
  return EmptyResult{};
}

TransactionExecution::Step TransactionExecution::execute(const AbortOp&) {
  return Error{"aborted", "aborted by request", {}};
}

TransactionExecution::Step TransactionExecution::execute(const CommentOp& op) {
  if (!comment_.empty()) comment_ += '\n';
  comment_ += op.comment;
  return EmptyResult{};
}

TransactionExecution::Step TransactionExecution::execute(const AssertOp& op) {
  if (context_.owns_lock && context_.owns_lock(op.lock)) return EmptyResult{};
  return Error{"not owner", fmt::format("Asserted lock {} not held.", op.lock), {}};
}

}  // namespace tandem
