#include "protocol/condition_matcher.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "protocol/json/json_reader.h"
#include "protocol/monitor_condition.h"
#include "sample_schema.h"

using namespace tandem;

namespace {

/// Columns of every type, as scalars, optional ones, sets and maps.
const TableSchema& wide_table() {
  static const SchemaRef schema = [] {
    std::string columns;
    for (const std::string type : {"integer", "real", "boolean", "string", "uuid"}) {
      if (!columns.empty()) columns += ',';
      columns += '"' + type + R"(_1":{"type":")" + type + R"("},)";
      columns += '"' + type + R"(_01":{"type":{"key":")" + type + R"(","min":0,"max":1}},)";
      columns +=
          '"' + type + R"(_n":{"type":{"key":")" + type + R"(","min":0,"max":"unlimited"}},)";
      columns += '"' + type + R"(_map":{"type":{"key":")" + type +
                 R"(","value":"integer","min":0,"max":"unlimited"}})";
    }
    return DatabaseSchema::from_json(
               parse_json(R"({"name":"D","tables":{"T":{"columns":{)" + columns + "}}}}").value())
        .value();
  }();
  return schema->tables()[0];
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }

  std::string atom(AtomicType type) {
    const std::string n = std::to_string(below(6));
    switch (type) {
      case AtomicType::kInteger:
        return n;
      case AtomicType::kReal:
        return below(5) == 0 ? "-0.0" : n + ".5";
      case AtomicType::kBoolean:
        return below(2) == 0 ? "true" : "false";
      case AtomicType::kString:
        return "\"s" + n + '"';
      case AtomicType::kUuid:
        return R"(["uuid","00000000-0000-0000-0000-00000000000)" + n + "\"]";
    }
    return "";
  }

  std::string datum(const ColumnType& type, std::size_t n_min, std::size_t n_max) {
    if (type.is_scalar()) return atom(type.key.type);
    const auto most = static_cast<unsigned>(n_max - n_min + 1);
    std::vector<std::string> keys;
    for (std::size_t n = n_min + below(most); n > 0; --n) {
      std::string key = atom(type.key.type);
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
    }
    std::string text = type.is_map() ? R"(["map",[)" : R"(["set",[)";
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i > 0) text += ',';
      text += type.is_map() ? '[' + keys[i] + ',' + std::to_string(below(3)) + ']' : keys[i];
    }
    return text + "]]";
  }

  RowRef row() {
    const RowDraft row = Row::create(wide_table(), Uuid{0, below(6)});
    for (ColumnIndex i = kFirstOwnColumn; i < wide_table().columns.size(); ++i) {
      const ColumnType& type = wide_table().column(i).type;
      const std::string text = datum(type, type.n_min, std::min(type.n_max, 4U));
      row->set(i, type.datum_from_json(parse_json(text).value(), nullptr).value());
    }
    return row;
  }

  std::string clause() {
    static constexpr const char* kFunctions[] = {"==", "!=", "includes", "excludes",
                                                 "<",  "<=", ">",        ">="};
    const ColumnIndex index = kFirstOwnColumn + below(20);
    const ColumnSchema& column = wide_table().column(index);
    const ColumnType& type = column.type;
    const bool ordered =
        !type.is_map() && type.n_max == 1 &&
        (type.key.type == AtomicType::kInteger || type.key.type == AtomicType::kReal);
    const unsigned function = below(ordered ? 8 : 4);
    const std::string argument =
        function >= 4 ? atom(type.key.type)
                      : datum(type, function == 2 ? below(8) == 0 ? 0 : 1 : type.n_min,
                              std::min(type.n_max, 3U));
    return "[\"" + column.name + "\",\"" + kFunctions[function] + "\"," + argument + ']';
  }

 private:
  std::mt19937 engine_;
};

}  // namespace

TEST_CASE("clauses put together match what they match one by one") {
  Random random(11);
  std::vector<RowRef> rows;
  for (int i = 0; i < 60; ++i) rows.push_back(random.row());
  std::size_t matching = 0;
  std::size_t tried = 0;
  for (int i = 0; i < 3000; ++i) {
    // Many of few columns, so that they meet.
    std::vector<std::string> texts;
    const std::string first = random.clause();
    const std::string column = first.substr(0, first.find(','));
    for (unsigned n = 1 + random.below(12); texts.size() < n;) {
      std::string clause = random.clause();
      if (random.below(20) == 0 || clause.starts_with(column)) texts.push_back(std::move(clause));
    }
    std::string where;
    for (const std::string& text : texts) where += (where.empty() ? "[" : ",") + text;
    const auto read = MonitorCondition::from_json(wide_table(), parse_json(where + "]").value());
    if (!read) continue;  // a datum with equal keys
    for (const RowRef& row : rows) {
      const std::vector<Clause>& clauses = read->clauses();
      const bool expected = std::any_of(clauses.begin(), clauses.end(),
                                        [&](const Clause& clause) { return clause.matches(*row); });
      INFO(where);
      REQUIRE(read->matches(*row) == expected);
      for (const ConditionMatcher::Column& part : read->matcher().columns()) {
        const bool any = std::any_of(clauses.begin(), clauses.end(), [&](const Clause& clause) {
          return clause.column == part.column && clause.matches(*row);
        });
        if (clauses.size() > 4) REQUIRE(part.matches(*row) == any);
      }
      matching += expected ? 1 : 0;
      ++tried;
    }
  }
  CHECK(tried > 100'000);
  CHECK(matching > tried / 10);
  CHECK(matching < tried - tried / 20);
}

TEST_CASE("ordered comparisons leave one bound each way") {
  std::string where;
  for (int i = 0; i < 1000; ++i)
    where += (i == 0 ? "[" : ",") + (R"(["integer_1",">=",)" + std::to_string(1000 - i) + "]");
  const auto condition =
      MonitorCondition::from_json(wide_table(), parse_json(where + "]").value()).value();
  REQUIRE(condition.matcher().columns().size() == 1);
  const ConditionMatcher::Column& column = condition.matcher().columns()[0];
  CHECK_FALSE(column.below.has_value());
  REQUIRE(column.above.has_value());
  CHECK(column.above->inclusive);
  CHECK(column.above->value == AtomView(std::int64_t{1}));
}

TEST_CASE("two values that a column must not equal are no condition") {
  const auto condition = MonitorCondition::from_json(
      wide_table(), parse_json(R"([["string_1","!=","a"],["string_1","!=","b"]])").value());
  REQUIRE(condition.has_value());
  CHECK(condition->matcher().is_always());
}
