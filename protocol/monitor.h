#pragma once

// What monitors ask for and what they are sent (RFC 7047 sections 4.1.5-4.1.7, ovsdb-server(7)
// sections 4.1.12-4.1.15), as values. Which session gets what and when is server/session's
// business.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/monitor_condition.h"

namespace tandem {

enum class MonitorVersion : std::uint8_t {
  kUpdate,   ///< monitor, update: old and new
  kUpdate2,  ///< monitor_cond, update2: differences
  kUpdate3,  ///< monitor_cond_since, update3: the same with a transaction id
};

/// RFC 7047 section 4.1.5 <monitor-select>.
struct MonitorSelect {
  bool initial = true;
  bool insert = true;
  bool remove = true;  ///< "delete"
  bool modify = true;
  bool operator==(const MonitorSelect&) const = default;
  MonitorSelect& operator|=(const MonitorSelect& other);
};

struct MonitoredColumn {
  ColumnIndex column = 0;
  MonitorSelect select;
  bool operator==(const MonitoredColumn&) const = default;
};

/// One table of a monitor: what its <monitor-request>s, merged, ask for.
struct MonitoredTable {
  TableIndex table = 0;
  std::vector<MonitoredColumn> columns;  ///< sorted by index
  MonitorSelect select;                  ///< the union of the columns'
  MonitorCondition condition;            ///< version kUpdate: always
  bool operator==(const MonitoredTable&) const = default;
};

/// A monitor request, tables sorted by index. Two requests that compare equal get the same texts.
struct MonitorRequest {
  SchemaRef schema;
  MonitorVersion version = MonitorVersion::kUpdate;
  std::vector<MonitoredTable> tables;

  /// Reads <monitor-requests>; errors of surface section 8.
  static Result<MonitorRequest> from_json(SchemaRef schema, MonitorVersion version,
                                          JsonView requests);
  /// The same monitor after a monitor_cond_change (ovsdb-server(7) section 4.1.13): tables that
  /// `changes` names have new conditions, the others keep theirs.
  Result<MonitorRequest> with_conditions(JsonView changes) const;
  /// Null when the monitor leaves the table out.
  const MonitoredTable* find(TableIndex table) const;
  bool operator==(const MonitorRequest&) const = default;
  /// Equal requests have equal hashes.
  std::size_t hash() const;
  /// How many clauses its conditions have.
  std::size_t clauses() const;
};
/// Shared by all who ask for it.
using MonitorRequestRef = std::shared_ptr<const MonitorRequest>;

/// Writes the <table-updates> of one version. Usage: rows in any order, grouped by table; end().
/// Tables and rows without anything to say leave no trace; empty() tells whether nothing was
/// written at all, and then the text is "{}". This is the fan-out's hot path: text goes straight to
/// `out`, nothing else is built. Borrows both; one thread.
class UpdateWriter {
 public:
  UpdateWriter(const MonitorRequest& request, std::string& out);
  /// For rows of one table alone, without what encloses them; no end().
  UpdateWriter(const MonitorRequest& request, const MonitoredTable& table, std::string& out);

  /// The row as part of an initial answer. Requires that its condition matches.
  void initial(const MonitoredTable& table, const Row& row);
  /// A change as the monitor sees it: conditions decide whether it is insert, modify, delete or
  /// nothing.
  void change(const MonitoredTable& table, const Row* before, const Row* after);
  /// The same for a row whose condition matched `before` and matches `after`: either is null when
  /// it does not. Requires that one is not.
  void visible_change(const MonitoredTable& table, const Row* before, const Row* after);
  void end();
  bool empty() const { return !any_; }

 private:
  void insert(const MonitoredTable& table, const Row& row);
  void modify(const MonitoredTable& table, const Row& before, const Row& after);
  void remove(const MonitoredTable& table, const Row& row);
  void open_row(const MonitoredTable& table, const Uuid& uuid);
  void append_difference(const MonitoredTable& table, const Row& before, const Row& after);
  void append_change(const MonitoredTable& table, const Row& before, const Row& after);
  template <class Wanted>
  void append_columns(const MonitoredTable& table, const Row& row, Wanted wanted);

  const TableSchema& schema_of(const MonitoredTable& table) const {
    return request_.schema->table(table.table);
  }
  bool differences() const { return request_.version != MonitorVersion::kUpdate; }

  const MonitorRequest& request_;
  std::string& out_;
  const MonitoredTable* current_ = nullptr;
  bool any_ = false;
};

}  // namespace tandem
