#include <algorithm>
#include <boost/json/object.hpp>
#include <unordered_set>

#include "protocol/operation.h"

namespace tandem {

namespace {

std::size_t hash_of(const Row& row, const std::vector<ColumnIndex>& columns) {
  std::size_t hash = 0;
  for (const ColumnIndex column : columns) hash = hash * 31 + row.view(column).hash();
  return hash;
}

bool equal(const Row& a, const Row& b, const std::vector<ColumnIndex>& columns) {
  return std::all_of(columns.begin(), columns.end(),
                     [&](ColumnIndex c) { return a.view(c) == b.view(c); });
}

/// Keeps the first of rows that are equal in `columns`.
void drop_duplicates(std::vector<const Row*>& rows, const std::vector<ColumnIndex>& columns) {
  const auto hash = [&](const Row* row) { return hash_of(*row, columns); };
  const auto same = [&](const Row* a, const Row* b) { return equal(*a, *b, columns); };
  std::unordered_set<const Row*, decltype(hash), decltype(same)> seen(rows.size(), hash, same);
  std::erase_if(rows, [&](const Row* row) { return !seen.insert(row).second; });
}

void sort_rows(std::vector<const Row*>& rows, const std::vector<ColumnIndex>& by) {
  std::stable_sort(rows.begin(), rows.end(), [&](const Row* a, const Row* b) {
    for (const ColumnIndex column : by) {
      const auto order = compare(a->view(column), b->view(column));
      if (order != 0) return order < 0;
    }
    return false;
  });
}

}  // namespace

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

void RowsResult::append_json(std::string& out) const {
  std::vector<const Row*> chosen;
  chosen.reserve(rows.size());
  for (const RowRef& row : rows) chosen.push_back(row.get());
  const bool distinct = std::find(columns.begin(), columns.end(), kUuidColumn) != columns.end();
  if (!distinct) drop_duplicates(chosen, columns);
  sort_rows(chosen, sort);

  out += "{\"rows\":[";
  const char* separator = "";
  for (const Row* row : chosen) {
    out += separator;
    separator = ",";
    append_row_json(out, *table, *row, columns);
  }
  out += "]}";
}

void append_result_json(std::string& out, const OperationResult& result) {
  struct Visitor {
    std::string& out;
    void operator()(const EmptyResult&) const { out += "{}"; }
    void operator()(const CountResult& r) const {
      out += "{\"count\":";
      append_json_integer(out, static_cast<std::int64_t>(r.count));
      out += '}';
    }
    void operator()(const InsertedResult& r) const {
      out += "{\"uuid\":";
      append_atom_json(out, r.uuid);
      out += '}';
    }
    void operator()(const RowsResult& r) const { r.append_json(out); }
    void operator()(const Error& error) const { append_json(out, error.to_json()); }
  };
  std::visit(Visitor{out}, result);
}

bool TransactResult::failed() const {
  return !results.empty() && std::holds_alternative<Error>(results.back());
}

void TransactResult::append_json(std::string& out) const {
  out += '[';
  const char* separator = "";
  for (const OperationResult& result : results) {
    out += separator;
    separator = ",";
    append_result_json(out, result);
  }
  for (std::size_t i = results.size(); i < count; ++i) {
    out += separator;
    separator = ",";
    out += "null";
  }
  out += ']';
}

}  // namespace tandem
