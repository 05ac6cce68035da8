#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/condition.h"
#include "protocol/mutation.h"

namespace tandem {

/// A value for a column, as "row" objects carry them.
struct ColumnValue {
  ColumnIndex column = 0;
  Datum datum;
};

// The operations of RFC 7047 section 5.2.

/// Reading it has checked that its uuid-name is new and that the defaults of columns that `row`
/// leaves out keep their constraints; what is left is that a requested UUID must be free.
struct InsertOp {
  TableIndex table = 0;
  Uuid row_uuid;                         ///< the new row's: requested, the uuid-name's, or random
  std::optional<std::string> uuid_name;  ///< in the symbol table, with row_uuid
  std::optional<Uuid> uuid;              ///< as requested, extension of ovsdb-server(7)
  std::vector<ColumnValue> row;          ///< own columns only
};
struct SelectOp {
  TableIndex table = 0;
  Condition where;
  std::vector<ColumnIndex> columns;  ///< all, pseudo columns included, when the request names none
  std::vector<ColumnIndex> sort;  ///< extension of ovsdb-server: first column first; may be empty
};
struct UpdateOp {
  TableIndex table = 0;
  Condition where;
  std::vector<ColumnValue> row;  ///< mutable columns only
};
struct MutateOp {
  TableIndex table = 0;
  Condition where;
  std::vector<Mutation> mutations;
};
struct DeleteOp {
  TableIndex table = 0;
  Condition where;
};
struct WaitOp {
  TableIndex table = 0;
  std::optional<std::int64_t> timeout_ms;  ///< nothing: for ever
  Condition where;
  std::vector<ColumnIndex> columns;  ///< all, pseudo columns included, when the request names none
  bool equal = true;                 ///< "until": "==" or "!="
  std::vector<std::vector<Datum>>
      rows;  ///< a set of rows; each the datums of `columns` in order, defaults filled in
};
struct CommitOp {
  bool durable = false;
};
struct AbortOp {};
struct CommentOp {
  std::string comment;
};
struct AssertOp {
  std::string lock;
};

using Operation = std::variant<InsertOp, SelectOp, UpdateOp, MutateOp, DeleteOp, WaitOp, CommitOp,
                               AbortOp, CommentOp, AssertOp>;

/// Reads operation `number` (from 1) of `count`, as ovsdb-server reads it: the errors name it so.
/// `symbols` collects named-uuids; operations must be read in order, once.
Result<Operation> operation_from_json(const DatabaseSchema& schema, JsonView value,
                                      std::size_t number, std::size_t count, SymbolTable& symbols);

/// The row that an "insert" with "uuid" asks for.
struct RequestedRow {
  TableIndex table = 0;
  Uuid uuid;
};

/// A transaction as read from params [db, op...]. Reading stops at the first bad operation: it is
/// kept as `error`, and executing reports it in its place after the operations before it took
/// effect, as ovsdb-server does.
struct Transaction {
  SchemaRef schema;  ///< what the indexes in the operations mean; a transaction read under an older
                     ///< schema is read anew
  std::vector<Operation> operations;
  std::optional<Error> error;  ///< of operation number operations.size() + 1
  std::optional<RequestedRow>
      error_insert;       ///< of the bad operation: that the row exists is the first error
  std::size_t count = 0;  ///< operations in the request
  SymbolTable symbols;

  /// Requires an array: `params` whole, the database's name first.
  static Transaction from_json(SchemaRef schema, JsonView params);
};

// Results of operations, RFC 7047 section 5.2, as values: text is made of them on the client's
// thread.

struct InsertedResult {
  Uuid uuid;
};
/// Finds the rows of a select while its text is made. Any thread may do so.
class RowSearch {
 public:
  virtual ~RowSearch() = default;
  /// Appends some of them from `place` on, 0 at first. `budget` goes down by the rows looked at.
  /// True when there are no more.
  virtual bool find_some(std::size_t& place, std::vector<RowRef>& rows,
                         std::size_t& budget) const = 0;
  /// It finds no more than so many.
  virtual std::size_t most() const = 0;
};

/// The rows that a select found, in any order. Its text is sorted, and without the rows that are
/// equal in all `columns` to another, as ovsdb-server does it.
struct RowsResult {
  const TableSchema* table = nullptr;
  SchemaRef schema;  ///< keeps `table`
  std::vector<ColumnIndex> columns;
  std::vector<ColumnIndex> sort;
  std::vector<RowRef> rows;
  std::shared_ptr<const RowSearch> more;  ///< may be null
};
struct CountResult {
  std::size_t count = 0;
};
struct EmptyResult {};

using OperationResult = std::variant<EmptyResult, CountResult, InsertedResult, RowsResult, Error>;

/// The "result" of a transact reply: one per operation; after the first error nulls up to `count`;
/// an error of the commit is one more.
struct TransactResult {
  std::vector<OperationResult> results;
  std::size_t count = 0;

  bool failed() const;
  /// Rows that it holds, or may come to hold.
  std::size_t rows() const;
  /// In one go; ResultWriter makes the text in pieces.
  void append_json(std::string& out) const;
};

/// Appends a row as RFC 7047 <row> with the given columns.
void append_row_json(std::string& out, const TableSchema& table, const Row& row,
                     const std::vector<ColumnIndex>& columns);

}  // namespace tandem
