#include <limits>

#include "protocol/operation.h"
#include "protocol/result_writer.h"

namespace tandem {

void append_row_json(std::string& out, const TableSchema& table, const Row& row,
                     const std::vector<ColumnIndex>& columns) {
  out += '{';
  const char* separator = "\"";  // column names are ids: nothing in them to escape
  for (const ColumnIndex column : columns) {
    out += separator;
    separator = ",\"";
    out += table.column(column).name;
    out += "\":";
    append_datum_json(out, row.view(column));
  }
  out += '}';
}

bool TransactResult::failed() const {
  return !results.empty() && std::holds_alternative<Error>(results.back());
}

std::size_t TransactResult::rows() const {
  std::size_t count = 0;
  for (const OperationResult& result : results) {
    const auto* found = std::get_if<RowsResult>(&result);
    if (found == nullptr) continue;
    count += found->rows.size() + (found->more != nullptr ? found->more->most() : 0);
  }
  return count;
}

void TransactResult::append_json(std::string& out) const {
  ResultWriter writer(*this);
  constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max() / 2;
  while (!writer.write(out, kWhole)) {
  }
}

}  // namespace tandem
