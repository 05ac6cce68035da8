#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/operation.h"
#include "server/database/commit.h"
#include "server/database/snapshot.h"
#include "server/database/table.h"

namespace tandem {

/// What a transaction may do, from the session that sent it.
struct TransactContext {
  bool read_only = false;  ///< writing operations fail with "not allowed"
  bool reserved = false;   ///< the same, since the server keeps the database for itself
  std::function<bool(std::string_view lock)> owns_lock;  ///< for "assert"; empty: owns none
  std::string_view role;       ///< RBAC role of the connection; empty: everything is allowed
  std::string_view client_id;  ///< common name of its certificate
  std::int64_t waited_ms = 0;  ///< how long ago the transaction was first tried
};

struct TransactOutcome {
  /// A "wait" does not hold yet: nothing was changed; try again after the next commit, or when
  /// `timeout_ms` (counted from the first try; nothing: never) has passed.
  bool blocked = false;
  std::optional<std::int64_t> timeout_ms;

  TransactResult result;           ///< unless blocked
  std::shared_ptr<Commit> commit;  ///< null when nothing changed and nothing is to be recorded
  bool durable = false;            ///< a "commit" asked for durability, even if nothing changed
};

/// The rows of one database in memory and the rules of RFC 7047 over them: references, garbage
/// collection, indexes, limits. Knows no file, no client and no clock. Owned by the writer; nothing
/// here is thread-safe but what it hands out (snapshots, commits, rows).
class Database {
 public:
  explicit Database(SchemaRef schema);
  ~Database();

  const SchemaRef& schema() const { return schema_; }

  /// Executes a transaction read under schema() and, if it succeeds, applies its changes.
  TransactOutcome execute(Transaction& transaction, const TransactContext& context);

  /// Takes back a commit. Requires that it is the newest one that was not taken back.
  void revert(const Commit& commit);

  /// Applies changes that were checked here. Requires that each `before` is the row's present
  /// version, and no row twice. Upholds indexes and reference counts but judges nothing.
  void apply(const std::vector<RowChange>& changes);
  /// Whether rows may refer strongly to rows that are not here.
  enum class References : std::uint8_t {
    kWhole,  ///< none may that did not before
    kHoles,  ///< tables are left out, or were when the file was written: nobody can tell
  };
  /// The same for changes that another server, or the writer of a file, should have checked. An
  /// error, and nothing is changed, when rows were left that no transaction leaves: a strong
  /// reference to no row, equal values in an index, more rows than the table may have.
  Result<void> take_over(const std::vector<RowChange>& changes, References references);

  Snapshot snapshot() const;
  RowRef find(TableIndex table, const Uuid& uuid) const;
  std::size_t row_count() const;

  const Table& table(TableIndex index) const { return *tables_[index]; }

 private:
  void reserve_for(const std::vector<RowChange>& changes);
  void move_references(const RowChange& change, Slot slot);
  void take_back(const std::vector<RowChange>& changes);
  template <class F>  // void(const Table&)
  void for_each_table(const std::vector<RowChange>& changes, F&& f) const;
  std::size_t dangling_near(const std::vector<RowChange>& changes) const;
  Result<void> check(const std::vector<RowChange>& changes) const;
  Error dangling_reference(const std::vector<RowChange>& changes) const;

  SchemaRef schema_;
  std::vector<std::unique_ptr<Table>> tables_;
};

/// The counts of memory/show: columns of all rows, _uuid and _version included; atoms of datums;
/// weak references.
struct Usage {
  std::size_t cells = 0, atoms = 0, weak_refs = 0;
};
/// Visits all rows; any thread.
Usage usage_of(const Snapshot& snapshot);

}  // namespace tandem
