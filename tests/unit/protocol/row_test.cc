#include "protocol/row.h"

#include <catch2/catch.hpp>
#include <exception>
#include <thread>
#include <vector>

using namespace tandem;

namespace {

SchemaRef schema() {
  return DatabaseSchema::from_text(
             R"({"name":"D","tables":{"T":{"columns":{"name":{"type":"string"},)"
             R"("ports":{"type":{"key":"integer","min":0,"max":"unlimited"}}}}}})")
      .value();
}

constexpr ColumnIndex kName = 2;
constexpr ColumnIndex kPorts = 3;

}  // namespace

TEST_CASE("a new row has all columns at their defaults") {
  const SchemaRef database = schema();
  const Uuid uuid = Uuid::random();
  const RowDraft row = Row::create(database->table(0), uuid);
  CHECK(row->own_columns() == 2);
  CHECK(row->uuid() == uuid);
  CHECK(row->version().is_zero());
  CHECK(row->datum(kName).same(database->table(0).column(kName).default_value));
  CHECK(row->view(kPorts).empty());
  CHECK(row->view(kUuidColumn) == DatumView::of_uuid(uuid));
}

TEST_CASE("a change of a clone leaves the row it came from alone and shares the rest") {
  const SchemaRef database = schema();
  const RowDraft draft = Row::create(database->table(0), Uuid::random());
  draft->set(kName, Datum::of(std::string_view("first")));
  draft->set(kPorts, Datum::of(std::int64_t{1}));
  draft->set_version(Uuid::random());
  const RowRef row = draft;

  const RowDraft next = Row::clone(*row);
  next->set(kName, Datum::of(std::string_view("second")));
  CHECK(next->uuid() == row->uuid());
  CHECK(next->version() == row->version());
  CHECK(next->datum(kPorts).same(row->datum(kPorts)));
  CHECK(row->datum(kName) == Datum::of(std::string_view("first")));
  CHECK(next->datum(kName) == Datum::of(std::string_view("second")));
}

TEST_CASE("threads may share and drop one row at the same time") {
  const SchemaRef database = schema();
  const RowDraft draft = Row::create(database->table(0), Uuid::random());
  draft->set(kName, Datum::of(std::string_view("shared")));
  const RowRef row = draft;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([row] {
      for (int i = 0; i < 10000; ++i) {
        const RowRef mine = row;
        const RowRef clone = Row::clone(*mine);
        if (!(clone->datum(kName) == mine->datum(kName))) std::terminate();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(row->datum(kName) == Datum::of(std::string_view("shared")));
}

TEST_CASE("a row change names the row whether it is inserted, changed or deleted") {
  const SchemaRef database = schema();
  const RowRef row = Row::create(database->table(0), Uuid::random());
  CHECK(RowChange{0, row, nullptr}.uuid() == row->uuid());
  CHECK(RowChange{0, nullptr, row}.uuid() == row->uuid());
}
