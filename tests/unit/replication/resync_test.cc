#include "replication/resync.h"

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"

namespace tandem {
namespace {

const SchemaRef kSchema =
    DatabaseSchema::from_text(
        R"({"name":"db","tables":{"t":{"columns":{"n":{"type":"integer"}}}}})")
        .value();

RowUpdate row(std::uint64_t n, RowUpdate::Kind kind = RowUpdate::Kind::kInsert) {
  RowUpdate update;
  update.uuid = Uuid{0, n};
  update.kind = kind;
  return update;
}

Result<std::vector<RowChange>> difference(const std::vector<RowUpdate>& wanted) {
  const RowSource none = [](TableIndex, const std::function<void(const RowRef&)>&) {};
  return resync_difference(*kSchema, wanted, none, [](TableIndex) { return true; });
}

TEST_CASE("contents of new rows are taken over") {
  CHECK(difference({row(1), row(2)}).value().size() == 2);
}

TEST_CASE("contents are an error when a part of them is no new row") {
  CHECK_FALSE(difference({row(1), row(1)}).has_value());
  CHECK_FALSE(difference({row(1, RowUpdate::Kind::kSet)}).has_value());
  CHECK_FALSE(difference({row(1, RowUpdate::Kind::kDifference)}).has_value());
  CHECK_FALSE(difference({row(1, RowUpdate::Kind::kDelete)}).has_value());
}

TEST_CASE("updates that name a row twice, or change a set beyond its size, are errors") {
  const auto read = [](const char* text) {
    return table_updates_from_json(*kSchema, MonitorVersion::kUpdate, parse_json(text).value());
  };
  CHECK_FALSE(read(R"({"t":{"abcdef00-0000-4000-8000-000000000001":{"old":{}},
                            "ABCDEF00-0000-4000-8000-000000000001":{"old":{}}}})")
                  .has_value());
  CHECK(read(R"({"t":{"ABCDEF00-0000-4000-8000-000000000001":{"old":{}},
                      "abcdef00-0000-4000-8000-000000000002":{"old":{}}}})")
            .has_value());
}

}  // namespace
}  // namespace tandem
