#include "tests/fuzz/session/monitor_model.h"

#include <algorithm>

#include "protocol/json_parser.h"
#include "replication/row_buckets.h"
#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {
namespace {

enum class Kind : std::uint8_t { kScalar, kSet, kMap };

Kind kind_of(const std::string& column) {
  if (column == "tags" || column == "kids") return Kind::kSet;
  if (column == "m") return Kind::kMap;
  return Kind::kScalar;
}

std::string default_of(const std::string& column) {
  if (column == "n" || column == "extra") return "0";
  if (column == "connected" || column == "leader") return "false";
  return "\"\"";
}

/// The elements of a datum: a set's or a map's, or one atom.
json::array elements_of(const json::value& datum, std::string_view kind) {
  const json::array* tagged = datum.if_array();
  if (tagged != nullptr && tagged->size() == 2 && (*tagged)[0].is_string() &&
      (*tagged)[0].get_string() == kind)
    return (*tagged)[1].as_array();
  return {datum};
}

}  // namespace

json::array MonitorModel::Condition::to_json() const {
  json::array where;
  for (const Clause& clause : any_of) {
    if (clause.column.empty()) {
      where.emplace_back(clause.value);
    } else {
      where.push_back(json::array{clause.column, clause.function, clause.value});
    }
  }
  return where;
}

MonitorModel::Value MonitorModel::read(const std::string& column, const json::value& datum) {
  Value value;
  switch (kind_of(column)) {
    case Kind::kScalar:
      value[""] = to_text(datum);
      break;
    case Kind::kSet:
      for (const json::value& atom : elements_of(datum, "set")) value[to_text(atom)];
      break;
    case Kind::kMap:
      for (const json::value& pair : elements_of(datum, "map"))
        value[to_text(pair.as_array().at(0))] = to_text(pair.as_array().at(1));
      break;
  }
  return value;
}

MonitorModel::Row MonitorModel::defaults() const {
  Row row;
  for (const std::string& column : columns) {
    Value& value = row[column];
    if (kind_of(column) == Kind::kScalar) value[""] = default_of(column);
  }
  return row;
}

void MonitorModel::set(Row& row, const json::object& values) const {
  for (const auto& [name, datum] : values) {
    const std::string column(name);
    require(row.contains(column), "updates have columns that are monitored");
    row[column] = read(column, datum);
  }
}

void MonitorModel::apply_diff(Row& row, const json::object& values) const {
  for (const auto& [name, datum] : values) {
    const std::string column(name);
    require(row.contains(column), "updates have columns that are monitored");
    Value& value = row[column];
    if (kind_of(column) == Kind::kScalar) value.clear();
    for (const auto& [key, changed] : read(column, datum)) {
      const auto held = value.find(key);
      if (held != value.end() && held->second == changed) {
        value.erase(held);
      } else {
        value[key] = changed;
      }
    }
  }
}

void MonitorModel::apply_update(const std::string& uuid, const json::object& update) {
  const json::value* now = update.if_contains("new");
  const json::value* old = update.if_contains("old");
  require(now != nullptr || old != nullptr, "an update of a row says something");
  const bool held = rows_.contains(uuid);
  require(held == (old != nullptr), "old values are those of rows that the client knows");
  if (now == nullptr) {
    rows_.erase(uuid);
    return;
  }
  if (held) {
    Row before = rows_[uuid];
    set(before, old->as_object());
    require(before == rows_[uuid], "old values are what the client knew");
  }
  rows_[uuid] = defaults();
  set(rows_[uuid], now->as_object());
}

void MonitorModel::apply_update2(const std::string& uuid, const json::object& update) {
  require(update.size() == 1, "an update of a row says one thing");
  const std::string_view what = update.begin()->key();
  const json::value& values = update.begin()->value();
  const bool held = rows_.contains(uuid);
  if (what == "initial" || what == "insert") {
    require(!held, "a row is inserted once");
    rows_[uuid] = defaults();
    set(rows_[uuid], values.as_object());
  } else if (what == "modify") {
    require(held, "a row that is modified is known");
    apply_diff(rows_[uuid], values.as_object());
  } else {
    require(what == "delete", "an update of a row is one of four kinds");
    require(held, "a row that is deleted is known");
    rows_.erase(uuid);
  }
}

void MonitorModel::apply(const json::value& table_updates) {
  require(table_updates.is_object(), "updates are an object");
  if (!followed) return;
  const json::value* updates = table_updates.as_object().if_contains(table);
  if (updates == nullptr) return;
  for (const auto& [uuid, update] : updates->as_object()) {
    if (version == Version::kUpdate) {
      apply_update(uuid, update.as_object());
    } else {
      apply_update2(uuid, update.as_object());
    }
  }
}

bool MonitorModel::matches(const Row& row) const {
  if (condition.any_of.empty()) return true;
  return std::any_of(condition.any_of.begin(), condition.any_of.end(), [&](const Clause& clause) {
    if (clause.column.empty()) return clause.value.as_bool();
    const Value& held = row.at(clause.column);
    if (clause.column == "n") {
      const std::int64_t n = std::stoll(held.at(""));
      const std::int64_t k = clause.value.as_int64();
      if (clause.function == "<") return n < k;
      if (clause.function == "<=") return n <= k;
      if (clause.function == ">") return n > k;
      if (clause.function == ">=") return n >= k;
      return (n == k) == (clause.function == "==" || clause.function == "includes");
    }
    const Value wanted = read(clause.column, clause.value);
    if (clause.function == "==") return held == wanted;
    if (clause.function == "!=") return held != wanted;
    const auto has = [&](const auto& pair) {
      const auto found = held.find(pair.first);
      return found != held.end() && found->second == pair.second;
    };
    if (clause.function == "includes") return std::all_of(wanted.begin(), wanted.end(), has);
    return std::none_of(wanted.begin(), wanted.end(), has);
  });
}

void MonitorModel::check(const Snapshot& snapshot) const {
  if (!followed) return;
  const auto index = snapshot.schema->find_table(table);
  require(index.has_value(), "a table that is monitored is there");
  std::map<std::string, Row> expected;
  snapshot.tables[*index].for_each([&](const tandem::Row& held) {
    std::string text;
    append_row_contents(text, snapshot.schema->table(*index), held);
    json::object monitored;
    const json::value contents = parse_json(text).value();
    for (const auto& [name, datum] : contents.as_object()) {
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) monitored[name] = datum;
    }
    Row row = defaults();
    set(row, monitored);
    if (matches(row)) expected[held.uuid().to_string()] = row;
  });
  require(expected == rows_, "a monitor's client knows the rows that match");
}

}  // namespace tandem::fuzz
