#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/schema.h"
#include "server/storage/record.h"

namespace tandem::tool {

/// Prints the records of a log for people, as ovsdb-tool(1) does for show-log: one line each; with
/// detail 1 the rows too, with 2 their columns. Rows go by their column "name", so it remembers the
/// names of all rows. It takes what is wrong in a record as it is and shows it. One thread; lives
/// for one log.
class LogPrinter {
 public:
  LogPrinter(std::ostream& out, unsigned detail) : out_(out), detail_(detail) {}

  /// Fails if the record is no JSON object, or the first one no schema.
  Result<void> print(const storage::Record& record);

 private:
  Result<void> print_schema(JsonView value);
  void print_head(std::size_t index, JsonView record);
  /// False if nothing of the record was about rows.
  bool print_tables(JsonView record);
  void print_row(std::string_view table, std::string_view uuid, JsonView row, bool is_diff);
  void print_columns(const TableSchema* table, JsonView row);
  /// The name that the row has after this record, as JSON text; empty if it has none.
  static std::string name_after(const TableSchema* table, const std::string& before, JsonView row,
                                bool is_diff);
  const TableSchema* find_table(std::string_view name) const;

  std::ostream& out_;
  const unsigned detail_;
  SchemaRef schema_;
  /// Of the rows that exist, by "TABLE/UUID"; as name_after().
  std::unordered_map<std::string, std::string> names_;
};

}  // namespace tandem::tool
