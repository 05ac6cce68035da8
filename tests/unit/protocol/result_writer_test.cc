#include "protocol/result_writer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "protocol/stepwise_sort.h"
#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

/// A select of many rows, beside other operations.
TransactResult many_rows(std::size_t count, const std::vector<ColumnIndex>& columns,
                         const std::vector<ColumnIndex>& sort) {
  RowsResult found{&table("q"), schema(), columns, sort, {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = R"({"n":)" + std::to_string(i * 7919 % 500) + R"(,"name":")" +
                             std::to_string(i % 3) + "\"}";
    found.rows.push_back(row(text, "q", static_cast<int>(i % 9) + 1));
  }
  return TransactResult{{CountResult{1}, found, EmptyResult{}}, 4};
}

}  // namespace

TEST_CASE("a large result is the same in pieces as in one, whatever the pieces are") {
  const std::vector<ColumnIndex> columns{column("n", "q"), column("name", "q")};
  const std::vector<ColumnIndex> sort{column("name", "q"), column("n", "q")};
  for (const std::vector<ColumnIndex>& order : {std::vector<ColumnIndex>{}, sort}) {
    const TransactResult result = many_rows(3000, columns, order);
    std::string whole;
    result.append_json(whole);
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{5000}}) {
      ResultWriter writer(result);
      std::string text;
      while (!writer.write(text, bytes)) {
      }
      CHECK(text == whole);
    }
  }
}

TEST_CASE("a piece is no longer than asked for, but for one row, and takes few rows") {
  ResultWriter writer(many_rows(5000, {column("n", "q"), column("name", "q")}, {column("n", "q")}));
  std::size_t calls = 0;
  for (bool ended = false; !ended; ++calls) {
    std::string piece;
    ended = writer.write(piece, 1000);
    CHECK(piece.size() < 1100);
  }
  CHECK(calls > 40);  // rows are compared and sorted in steps, too
}

TEST_CASE("a writer may be moved between its pieces") {
  const TransactResult result = many_rows(1000, {kUuidColumn, column("n", "q")}, {});
  std::string whole;
  result.append_json(whole);
  std::string text;
  ResultWriter writer(result);
  CHECK_FALSE(writer.write(text, 500));
  ResultWriter moved(std::move(writer));
  while (!moved.write(text, 500)) {
  }
  CHECK(text == whole);
}

TEST_CASE("sorting in steps is stable, and each step has its size") {
  std::mt19937 random(1);
  for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 200U, 1000U, 4097U}) {
    std::vector<std::pair<unsigned, std::size_t>> items;
    for (std::size_t i = 0; i < count; ++i) items.emplace_back(random() % 50, i);
    auto expected = items;
    const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::stable_sort(expected.begin(), expected.end(), less);
    StepwiseSort sort(items, less);
    for (std::size_t budget = 10; !sort.step(budget); budget = 10) CHECK(budget == 0);
    CHECK(items == expected);
  }
}
