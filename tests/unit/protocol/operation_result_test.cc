#include <catch2/catch.hpp>

#include "protocol/operation.h"
#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

std::string text_of_rows(const std::vector<ColumnIndex>& columns,
                         const std::vector<ColumnIndex>& sort) {
  RowsResult result{&table("q"), schema(), columns, sort, {}, {}};
  result.rows = {row(R"({"n":3,"name":"a"})", "q", 1), row(R"({"n":1,"name":"b"})", "q", 2),
                 row(R"({"n":2,"name":"c"})", "q", 3), row(R"({"n":1,"name":"b"})", "q", 4)};
  std::string text;
  TransactResult{{result}, 1}.append_json(text);
  return text.substr(1, text.size() - 2);
}

std::string text_of_results(std::vector<OperationResult> results, std::size_t count) {
  std::string text;
  TransactResult{std::move(results), count}.append_json(text);
  return text;
}

}  // namespace

TEST_CASE("rows that are equal in the selected columns are one") {
  const ColumnIndex n = column("n", "q");
  CHECK(text_of_rows({n}, {}) == R"({"rows":[{"n":3},{"n":1},{"n":2}]})");
  CHECK(text_of_rows({}, {}) == R"({"rows":[{}]})");
}

TEST_CASE("rows are sorted as asked") {
  const ColumnIndex n = column("n", "q");
  const ColumnIndex name = column("name", "q");
  CHECK(text_of_rows({n, name}, {n}) ==
        R"({"rows":[{"n":1,"name":"b"},{"n":2,"name":"c"},{"n":3,"name":"a"}]})");
  CHECK(text_of_rows({name}, {name}) == R"({"rows":[{"name":"a"},{"name":"b"},{"name":"c"}]})");
}

TEST_CASE("rows with their UUID are never equal") {
  const std::string text = text_of_rows({kUuidColumn, column("n", "q")}, {kUuidColumn});
  CHECK(text.starts_with(
      R"({"rows":[{"_uuid":["uuid","550e8400-e29b-41d4-a716-446655440001"],"n":3},)"));
  CHECK(text.find("446655440004") != std::string::npos);
}

TEST_CASE("each kind of result has its text") {
  CHECK(text_of_results({EmptyResult{}, CountResult{7}, InsertedResult{uuid(1)}}, 3) ==
        R"([{},{"count":7},{"uuid":["uuid","550e8400-e29b-41d4-a716-446655440001"]}])");
  CHECK(text_of_results({}, 0) == "[]");
}

TEST_CASE("operations after an error are null") {
  CHECK(text_of_results({EmptyResult{}, Error{"aborted", "aborted by request", std::nullopt}}, 4) ==
        R"([{},{"details":"aborted by request","error":"aborted"},null,null])");
}

TEST_CASE("an error of the commit follows the results of all operations") {
  const std::vector<OperationResult> results = {CountResult{1},
                                                Error{"constraint violation", "x", std::nullopt}};
  CHECK(text_of_results(results, 1) ==
        R"([{"count":1},{"details":"x","error":"constraint violation"}])");
  CHECK(TransactResult{results, 1}.failed());
  CHECK_FALSE(TransactResult{{CountResult{1}}, 1}.failed());
}
