#include "server/tool/reapply.h"

#include <fmt/core.h>

#include "protocol/json/json_output.h"
#include "protocol/type.h"
#include "replication/position.h"
#include "replication/row_buckets.h"
#include "server/database/record_codec.h"

namespace tandem::tool {
namespace {

std::string json_of(const DatumView& datum) {
  std::string out;
  append_datum_json(out, datum);
  return out;
}

/// The operations that change one row as a record did.
class RowOperations {
 public:
  RowOperations(const TableSchema& table, const Uuid& row)
      : table_(json_string(table.name)),
        uuid_(fmt::format(R"(["uuid","{}"])", row.to_string())),
        where_(fmt::format(R"("where":[["_uuid","==",{}]])", uuid_)) {}

  std::string insert(const TableSchema& table, const Row& row) const {
    std::string text = fmt::format(R"({{"op":"insert","table":{},"uuid":"{}","row":)", table_,
                                   row.uuid().to_string());
    append_row_contents(text, table, row);
    return text + '}';
  }

  /// A row that has gone already is no harm.
  std::string remove() const {
    return fmt::format(R"({{"op":"delete","table":{},{}}})", table_, where_);
  }

  std::string modify(const TableSchema& table, const Row& before, const Row& after) {
    for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); ++i) {
      if (!(before.datum(i) == after.datum(i))) add(table.column(i), before.view(i), after.view(i));
    }
    std::string text = fmt::format(
        R"({{"op":"wait","table":{},{},"timeout":0,"until":"==","columns":["_uuid"{}],"rows":[{{"_uuid":{}{}}}]}})",
        table_, where_, columns_, uuid_, old_);
    if (!values_.empty())
      text += fmt::format(R"(,{{"op":"update","table":{},{},"row":{{{}}}}})", table_, where_,
                          values_.substr(1));
    if (!mutations_.empty())
      text += fmt::format(R"(,{{"op":"mutate","table":{},{},"mutations":[{}]}})", table_, where_,
                          mutations_.substr(1));
    return text;
  }

 private:
  void add(const ColumnSchema& column, const DatumView& before, const DatumView& after) {
    const std::string name = json_string(column.name);
    if (column.type.n_max > 1 && column.type.n_min == 0) {
      for (const auto& [mutator, elements] : {std::pair("delete", set_difference(before, after)),
                                              std::pair("insert", set_difference(after, before))}) {
        if (!elements.empty())
          mutations_ += fmt::format(R"(,[{},"{}",{}])", name, mutator, json_of(elements.view()));
      }
      return;
    }
    columns_ += ',' + name;
    old_ += ',' + name + ':' + json_of(before);
    values_ += ',' + name + ':' + json_of(after);
  }

  const std::string table_, uuid_, where_;
  std::string columns_, old_;       // of single values, as they must be
  std::string values_, mutations_;  // what is to be done
};

}  // namespace

Result<Reapply::Step> Reapply::next(const storage::Record& record) {
  Result<DecodedRecord> decoded = decode_record(database_, record.body);
  if (!decoded) return decoded.error();
  Step step;
  step.comment = std::move(decoded.value().comment);
  step.date_ms = decoded.value().date_ms.value_or(0);
  const std::vector<RowChange>& changes = decoded.value().changes;
  database_.apply(changes);
  // A snapshot is what another server had.
  if (changes.empty() || PositionMarks::parse(step.comment).snapshot) return step;
  step.transaction = '[' + json_string(database_.schema()->name());
  for (const RowChange& change : changes) {
    const TableSchema& table = database_.schema()->table(change.table);
    RowOperations operations(table, change.uuid());
    step.transaction += ',';
    if (!change.before) {
      step.transaction += operations.insert(table, *change.after);
    } else if (!change.after) {
      step.transaction += operations.remove();
    } else {
      step.transaction += operations.modify(table, *change.before, *change.after);
    }
  }
  const std::string comment = step.comment.empty() ? "" : ": " + step.comment;
  step.transaction += fmt::format(
      R"(,{{"op":"comment","comment":{}}}])",
      json_string(fmt::format("applied again from {}, record {}{}", name_, record.index, comment)));
  return step;
}

}  // namespace tandem::tool
