#include "replication/row_buckets.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"

namespace tandem {
namespace {

const SchemaRef& schema() {
  static const SchemaRef schema =
      DatabaseSchema::from_text(
          R"({"name":"db","tables":{"t":{"columns":{"n":{"type":"integer"}}},"u":{"columns":{"n":{"type":"integer"}}}}})")
          .value();
  return schema;
}

RowRef row(std::uint64_t uuid, std::int64_t n) {
  RowDraft draft = Row::create(schema()->table(0), Uuid{0, uuid});
  draft->set(kFirstOwnColumn,
             schema()
                 ->table(0)
                 .column(kFirstOwnColumn)
                 .type.datum_from_json(parse_json(std::to_string(n)).value(), nullptr)
                 .value());
  return draft;
}

RowSource table_t(const std::vector<RowRef>& rows) {
  return [&rows](TableIndex table, const std::function<void(const RowRef&)>& take) {
    if (table != 0) return;
    for (const RowRef& held : rows) take(held);
  };
}

std::vector<RowRef> thousand_rows() {
  std::vector<RowRef> rows;
  for (std::uint64_t i = 0; i < 1000; ++i) rows.push_back(row(i * 0x9e3779b97f4a7c15ULL, 1));
  return rows;
}

RowBuckets sums_like(const RowBuckets& like, const std::vector<RowRef>& rows) {
  RowBuckets sums = RowBuckets::zeros_like(like);
  sums.add(*schema(), 0, rows);
  return sums;
}

TEST_CASE("equal rows in any order have equal sums") {
  std::vector<RowRef> rows = thousand_rows();
  const RowBuckets held = RowBuckets::of(*schema(), table_t(rows));
  std::reverse(rows.begin(), rows.end());
  CHECK(sums_like(held, rows).difference(held).is_empty());
}

TEST_CASE("only the bucket of a row that differs is chosen") {
  std::vector<RowRef> rows = thousand_rows();
  const RowBuckets held = RowBuckets::of(*schema(), table_t(rows));
  rows[17] = row(17 * 0x9e3779b97f4a7c15ULL, 2);
  const BucketScope scope = sums_like(held, rows).difference(held);
  CHECK(scope.contains(0, rows[17]->uuid()));
  const auto chosen = std::count_if(rows.begin(), rows.end(),
                                    [&](const RowRef& r) { return scope.contains(0, r->uuid()); });
  CHECK(chosen < 200);
}

template <class Value>
Result<Value> reread(const Value& value) {
  std::string text;
  value.append_json(text, *schema());
  return Value::from_json(*schema(), parse_json(text).value());
}

TEST_CASE("sums and scopes survive JSON") {
  const std::vector<RowRef> rows = thousand_rows();
  const RowBuckets held = RowBuckets::of(*schema(), table_t(rows));
  const RowBuckets read = reread(held).value();
  CHECK(read.difference(held).is_empty());
  const BucketScope scope = sums_like(held, {}).difference(held);
  const BucketScope scope_read = reread(scope).value();
  for (const RowRef& r : rows) REQUIRE(scope_read.contains(0, r->uuid()));
  CHECK_FALSE(scope_read.contains(1, rows[0]->uuid()));
}

TEST_CASE("JSON that is no sums or scope is refused") {
  const auto is_sums = [](const std::string& text) {
    return RowBuckets::from_json(*schema(), parse_json(text).value()).has_value();
  };
  CHECK(is_sums(R"({"t":")" + std::string(64, '0') + "\"}"));
  CHECK_FALSE(is_sums(R"({"t":")" + std::string(96, '0') + "\"}"));
  CHECK_FALSE(is_sums(R"({"t":")" + std::string(32, 'g') + "\"}"));
  CHECK_FALSE(is_sums(R"({"t":""})"));
  const auto is_scope = [](const std::string& text) {
    return BucketScope::from_json(*schema(), parse_json(text).value()).has_value();
  };
  CHECK(is_scope(R"({"t":[2,[1]]})"));
  CHECK_FALSE(is_scope(R"({"t":[2,[2]]})"));
  CHECK_FALSE(is_scope(R"({"v":[1,[0]]})"));
}

}  // namespace
}  // namespace tandem
