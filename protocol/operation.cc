#include "protocol/operation.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "protocol/clause_errors.h"
#include "protocol/object_reader.h"

namespace tandem {

namespace {

/// Reads one operation: its members, then what they mean. Each read_X() first takes all members and
/// calls reader_.finish(), because ovsdb-server reports bad members before bad contents.
class OperationParser {
 public:
  OperationParser(const DatabaseSchema& schema, JsonView value, std::size_t number,
                  std::size_t count, SymbolTable& symbols)
      : schema_(schema),
        value_(value),
        reader_(value, "ovsdb operation", number, count),
        symbols_(symbols) {}

  Result<Operation> parse();
  /// The row that a bad "insert" asks to be given, if its members are right.
  const std::optional<RequestedRow>& requested() const { return requested_; }

 private:
  using Method = Result<Operation> (OperationParser::*)();
  struct Named {
    std::string_view name;
    Method read;
  };
  static const std::array<Named, 10> kOperations;

  Result<Operation> read_insert();
  Result<Operation> read_select();
  Result<Operation> read_update();
  Result<Operation> read_mutate();
  Result<Operation> read_delete();
  Result<Operation> read_wait();
  Result<Operation> read_commit();
  Result<Operation> read_abort();
  Result<Operation> read_comment();
  Result<Operation> read_assert();

  void take_table();
  Result<void> name_row(InsertOp& op, JsonView uuid, JsonView uuid_name);
  Result<void> check_defaults(const InsertOp& op) const;
  Result<std::vector<ColumnValue>> read_row(JsonView value);
  Result<std::vector<ColumnIndex>> read_columns(JsonView names) const;
  Result<std::vector<ColumnIndex>> read_named_columns(JsonView names) const;
  Result<Condition> read_where(JsonView where) {
    return Condition::from_json(*table_, where, &symbols_);
  }

  const DatabaseSchema& schema_;
  const JsonView value_;
  ObjectReader reader_;
  SymbolTable& symbols_;
  TableIndex table_index_ = 0;
  const TableSchema* table_ = nullptr;  ///< valid once reader_.finish() succeeded
  std::optional<RequestedRow> requested_;
};

const std::array<OperationParser::Named, 10> OperationParser::kOperations = {{
    {"insert", &OperationParser::read_insert},
    {"select", &OperationParser::read_select},
    {"update", &OperationParser::read_update},
    {"mutate", &OperationParser::read_mutate},
    {"delete", &OperationParser::read_delete},
    {"wait", &OperationParser::read_wait},
    {"commit", &OperationParser::read_commit},
    {"abort", &OperationParser::read_abort},
    {"comment", &OperationParser::read_comment},
    {"assert", &OperationParser::read_assert},
}};

Result<Operation> OperationParser::parse() {
  if (const JsonView op = reader_.required("op", kJsonId)) {
    const std::string_view name = op.get_string();
    const auto* at = std::find_if(kOperations.begin(), kOperations.end(),
                                  [&](const Named& o) { return o.name == name; });
    if (at != kOperations.end()) return (this->*at->read)();
    reader_.fail(fmt::format("No operation \"{}\"", name));
  }
  return reader_.finish().error();
}

void OperationParser::take_table() {
  const JsonView name = reader_.required("table", kJsonId);
  if (!name) return;
  if (const auto index = schema_.find_table(name.get_string())) {
    table_index_ = *index;
    table_ = &schema_.table(*index);
  } else {
    reader_.fail(fmt::format("No table named {}.", name.get_string()));
  }
}

Result<Operation> OperationParser::read_insert() {
  take_table();
  const JsonView uuid = reader_.optional("uuid", kJsonString);
  const JsonView uuid_name = reader_.optional("uuid-name", kJsonId);
  const JsonView row = reader_.required("row", kJsonObject);
  if (auto done = reader_.finish(); !done) return std::move(done).error();

  InsertOp op;
  op.table = table_index_;
  if (auto named = name_row(op, uuid, uuid_name); !named) return std::move(named).error();
  auto values = read_row(row);
  if (!values) return std::move(values).error();
  op.row = std::move(*values);
  std::erase_if(op.row, [](const ColumnValue& v) { return v.column < kFirstOwnColumn; });
  if (auto checked = check_defaults(op); !checked) return std::move(checked).error();
  return Operation(std::move(op));
}

Result<void> OperationParser::name_row(InsertOp& op, JsonView uuid, JsonView uuid_name) {
  if (uuid) {
    op.uuid = Uuid::parse(uuid.get_string());
    if (!op.uuid) return syntax_error(uuid, "bad uuid");
    requested_ = RequestedRow{op.table, *op.uuid};
  }
  if (!uuid_name) {
    op.row_uuid = op.uuid ? *op.uuid : Uuid::random();
    return {};
  }
  op.uuid_name = std::string(uuid_name.get_string());
  SymbolTable::Symbol& symbol = symbols_.get(*op.uuid_name);
  if (symbol.created) {
    return Error{"duplicate uuid-name",
                 "This \"uuid-name\" appeared on an earlier \"insert\" operation.",
                 to_text(uuid_name)};
  }
  symbol.created = true;
  if (op.uuid) symbol.uuid = *op.uuid;
  op.row_uuid = symbol.uuid;
  return {};
}

Result<void> OperationParser::check_defaults(const InsertOp& op) const {
  std::vector<bool> given(table_->columns.size());
  for (const ColumnValue& v : op.row) given[v.column] = true;
  for (ColumnIndex i = kFirstOwnColumn; i < table_->columns.size(); ++i) {
    if (given[i]) continue;
    const ColumnSchema& column = table_->column(i);
    if (auto checked = column.type.check(column.default_value.view()); !checked) return checked;
  }
  return {};
}

Result<Operation> OperationParser::read_select() {
  take_table();
  const JsonView where = reader_.required("where", kJsonArray);
  const JsonView columns = reader_.optional("columns", kJsonArray);
  const JsonView sort = reader_.optional("sort", kJsonArray);
  if (auto done = reader_.finish(); !done) return std::move(done).error();

  auto condition = read_where(where);
  if (!condition) return std::move(condition).error();
  auto selected = read_columns(columns);
  if (!selected) return std::move(selected).error();
  SelectOp op{table_index_, std::move(*condition), std::move(*selected), {}};
  if (sort) {
    auto order = read_named_columns(sort);
    if (!order) return std::move(order).error();
    op.sort = std::move(*order);
  }
  return Operation(std::move(op));
}

Result<Operation> OperationParser::read_update() {
  take_table();
  const JsonView where = reader_.required("where", kJsonArray);
  const JsonView row = reader_.required("row", kJsonObject);
  if (auto done = reader_.finish(); !done) return std::move(done).error();

  auto values = read_row(row);
  if (!values) return std::move(values).error();
  for (const ColumnValue& v : *values) {
    const ColumnSchema& column = table_->column(v.column);
    if (!column.is_mutable) return immutable_column("update", *table_, column, value_);
  }
  auto condition = read_where(where);
  if (!condition) return std::move(condition).error();
  return Operation(UpdateOp{table_index_, std::move(*condition), std::move(*values)});
}

Result<Operation> OperationParser::read_mutate() {
  take_table();
  const JsonView where = reader_.required("where", kJsonArray);
  const JsonView mutations = reader_.required("mutations", kJsonArray);
  if (auto done = reader_.finish(); !done) return std::move(done).error();

  auto list = mutations_from_json(*table_, mutations, &symbols_);
  if (!list) return std::move(list).error();
  auto condition = read_where(where);
  if (!condition) return std::move(condition).error();
  return Operation(MutateOp{table_index_, std::move(*condition), std::move(*list)});
}

Result<Operation> OperationParser::read_delete() {
  const JsonView where = reader_.required("where", kJsonArray);
  take_table();
  if (auto done = reader_.finish(); !done) return std::move(done).error();

  auto condition = read_where(where);
  if (!condition) return std::move(condition).error();
  return Operation(DeleteOp{table_index_, std::move(*condition)});
}

Result<Operation> OperationParser::read_wait() {
  const JsonView timeout = reader_.optional("timeout", kJsonInteger);
  const JsonView where = reader_.required("where", kJsonArray);
  take_table();
  const JsonView columns = reader_.optional("columns", kJsonArray);
  const JsonView until = reader_.required("until", kJsonString);
  const JsonView rows = reader_.required("rows", kJsonArray);
  if (auto done = reader_.finish(); !done) return std::move(done).error();

  WaitOp op;
  op.table = table_index_;
  auto condition = read_where(where);
  if (!condition) return std::move(condition).error();
  op.where = std::move(*condition);
  auto compared = read_columns(columns);
  if (!compared) return std::move(compared).error();
  op.columns = std::move(*compared);
  if (timeout) {
    as_integer(timeout, op.timeout_ms.emplace());
    if (*op.timeout_ms < 0) return syntax_error(timeout, "timeout must be nonnegative");
  }
  const std::string_view comparison = until.get_string();
  if (comparison != "==" && comparison != "!=")
    return syntax_error(until, R"("until" must be "==" or "!=")");
  op.equal = comparison == "==";
  std::vector<std::size_t> place_of(table_->columns.size(), op.columns.size());  // of each column
  for (std::size_t i = 0; i < op.columns.size(); ++i) place_of[op.columns[i]] = i;
  for (const JsonView element : rows.elements()) {
    auto values = read_row(element);
    if (!values) return std::move(values).error();
    std::vector<Datum> row;
    row.reserve(op.columns.size());
    for (const ColumnIndex column : op.columns) row.push_back(table_->column(column).default_value);
    for (ColumnValue& v : *values) {
      const std::size_t place = place_of[v.column];
      if (place < row.size()) row[place] = std::move(v.datum);
    }
    op.rows.push_back(std::move(row));
  }
  return Operation(std::move(op));
}

Result<Operation> OperationParser::read_commit() {
  const JsonView durable = reader_.required("durable", kJsonBoolean);
  if (auto done = reader_.finish(); !done) return std::move(done).error();
  return Operation(CommitOp{durable.get_bool()});
}

Result<Operation> OperationParser::read_abort() {
  if (auto done = reader_.finish(); !done) return std::move(done).error();
  return Operation(AbortOp{});
}

Result<Operation> OperationParser::read_comment() {
  const JsonView comment = reader_.required("comment", kJsonString);
  if (auto done = reader_.finish(); !done) return std::move(done).error();
  return Operation(CommentOp{std::string(comment.get_string())});
}

Result<Operation> OperationParser::read_assert() {
  const JsonView lock = reader_.required("lock", kJsonId);
  if (auto done = reader_.finish(); !done) return std::move(done).error();
  return Operation(AssertOp{std::string(lock.get_string())});
}

Result<std::vector<ColumnValue>> OperationParser::read_row(JsonView value) {
  if (!value.is_object()) return syntax_error(value, "row must be JSON object");
  std::vector<ColumnValue> values;
  values.reserve(value.size());
  for (const JsonMember& member : value.members()) {
    const auto column = table_->find_column(member.name);
    if (!column) return unknown_column(*table_, member.name, value);
    auto datum = table_->column(*column).type.datum_from_json(member.value, &symbols_);
    if (!datum) return std::move(datum).error();
    values.push_back({*column, std::move(*datum)});
  }
  return values;
}

Result<std::vector<ColumnIndex>> OperationParser::read_columns(JsonView names) const {
  if (names) return read_named_columns(names);
  std::vector<ColumnIndex> all(table_->columns.size());
  for (ColumnIndex i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

Result<std::vector<ColumnIndex>> OperationParser::read_named_columns(JsonView names) const {
  constexpr const char* kExpected = "array of distinct column names expected";
  std::vector<ColumnIndex> columns;
  std::vector<bool> named(table_->columns.size());
  for (const JsonView element : names.elements()) {
    if (!element.is_string()) return syntax_error(names, kExpected);
    const std::string_view name = element.get_string();
    const auto column = table_->find_column(name);
    if (!column) return syntax_error(names, fmt::format("{} is not a valid column name", name));
    if (named[*column]) return syntax_error(names, kExpected);
    named[*column] = true;
    columns.push_back(*column);
  }
  return columns;
}

}  // namespace

Result<Operation> operation_from_json(const DatabaseSchema& schema, JsonView value,
                                      std::size_t number, std::size_t count, SymbolTable& symbols) {
  return OperationParser(schema, value, number, count, symbols).parse();
}

Transaction Transaction::from_json(SchemaRef schema, JsonView params) {
  Transaction transaction;
  transaction.schema = std::move(schema);
  transaction.count = params.empty() ? 0 : params.size() - 1;
  transaction.operations.reserve(transaction.count);
  std::size_t number = 0;  // the database's name comes first
  for (const JsonView element : params.elements()) {
    if (number++ == 0) continue;
    OperationParser parser(*transaction.schema, element, number - 1, transaction.count,
                           transaction.symbols);
    auto operation = parser.parse();
    if (!operation) {
      transaction.error = std::move(operation).error();
      transaction.error_insert = parser.requested();
      break;
    }
    transaction.operations.push_back(std::move(*operation));
  }
  return transaction;
}

}  // namespace tandem
