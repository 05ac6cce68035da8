#include "tests/fuzz/session/monitor_model.h"

#include <algorithm>

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
Json elements_of(const Json& datum, std::string_view kind) {
  if (datum.is_array() && datum.size() == 2 && datum[0] == kind) return datum[1];
  return Json::array({datum});
}

}  // namespace

Json MonitorModel::Condition::to_json() const {
  Json where = Json::array();
  for (const Clause& clause : any_of) {
    where.push_back(clause.column.empty()
                        ? clause.value
                        : Json::array({clause.column, clause.function, clause.value}));
  }
  return where;
}

MonitorModel::Value MonitorModel::read(const std::string& column, const Json& datum) {
  Value value;
  switch (kind_of(column)) {
    case Kind::kScalar:
      value[""] = to_text(datum);
      break;
    case Kind::kSet:
      for (const Json& atom : elements_of(datum, "set")) value[to_text(atom)];
      break;
    case Kind::kMap:
      for (const Json& pair : elements_of(datum, "map"))
        value[to_text(pair.at(0))] = to_text(pair.at(1));
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

void MonitorModel::set(Row& row, const Json& values) const {
  for (const auto& [column, datum] : values.items()) {
    require(row.contains(column), "updates have columns that are monitored");
    row[column] = read(column, datum);
  }
}

void MonitorModel::apply_diff(Row& row, const Json& values) const {
  for (const auto& [column, datum] : values.items()) {
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

void MonitorModel::apply_update(const std::string& uuid, const Json& update) {
  const Json* const now = find_member(update, "new");
  const Json* const old = find_member(update, "old");
  require(now != nullptr || old != nullptr, "an update of a row says something");
  const bool held = rows_.contains(uuid);
  require(held == (old != nullptr), "old values are those of rows that the client knows");
  if (now == nullptr) {
    rows_.erase(uuid);
    return;
  }
  if (held) {
    Row before = rows_[uuid];
    set(before, *old);
    require(before == rows_[uuid], "old values are what the client knew");
  }
  rows_[uuid] = defaults();
  set(rows_[uuid], *now);
}

void MonitorModel::apply_update2(const std::string& uuid, const Json& update) {
  require(update.size() == 1, "an update of a row says one thing");
  const std::string& what = update.begin().key();
  const Json& values = update.begin().value();
  const bool held = rows_.contains(uuid);
  if (what == "initial" || what == "insert") {
    require(!held, "a row is inserted once");
    rows_[uuid] = defaults();
    set(rows_[uuid], values);
  } else if (what == "modify") {
    require(held, "a row that is modified is known");
    apply_diff(rows_[uuid], values);
  } else {
    require(what == "delete", "an update of a row is one of four kinds");
    require(held, "a row that is deleted is known");
    rows_.erase(uuid);
  }
}

void MonitorModel::apply(const Json& table_updates) {
  require(table_updates.is_object(), "updates are an object");
  if (!followed) return;
  const Json* const updates = find_member(table_updates, table);
  if (updates == nullptr) return;
  for (const auto& [uuid, update] : updates->items()) {
    if (version == Version::kUpdate) {
      apply_update(uuid, update);
    } else {
      apply_update2(uuid, update);
    }
  }
}

bool MonitorModel::matches(const Row& row) const {
  if (condition.any_of.empty()) return true;
  return std::any_of(condition.any_of.begin(), condition.any_of.end(), [&](const Clause& clause) {
    if (clause.column.empty()) return clause.value.get<bool>();
    const Value& held = row.at(clause.column);
    if (clause.column == "n") {
      const std::int64_t n = std::stoll(held.at(""));
      const std::int64_t k = clause.value.get<std::int64_t>();
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
    Json monitored = Json::object();
    const Json contents = read_json(text).value();
    for (const auto& [name, datum] : contents.items()) {
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) monitored[name] = datum;
    }
    Row row = defaults();
    set(row, monitored);
    if (matches(row)) expected[held.uuid().to_string()] = row;
  });
  require(expected == rows_, "a monitor's client knows the rows that match");
}

}  // namespace tandem::fuzz
