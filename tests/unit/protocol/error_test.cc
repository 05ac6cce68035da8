#include "protocol/error.h"

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"

using namespace tandem;

TEST_CASE("an error becomes the object that RFC 7047 wants, without what it does not have") {
  CHECK(to_text(constraint_violation("too big")) ==
        R"({"details":"too big","error":"constraint violation"})");
  CHECK(to_text(Error{"timed out", "", {}}) == R"({"error":"timed out"})");
}

TEST_CASE("a syntax error carries the offending JSON as text with sorted keys") {
  const JsonDocument where = parse_json(R"({"b":1,"a":[1,2]})").value();
  CHECK(to_text(syntax_error(where, "no")) ==
        R"({"details":"no","error":"syntax error","syntax":"{\"a\":[1,2],\"b\":1}"})");
  CHECK_FALSE(syntax_error(nullptr, "no").syntax);
}

TEST_CASE("an error's line for logs names syntax, tag and details") {
  CHECK(syntax_error_text("{}", "bad").to_string() == R"(syntax "{}": syntax error: bad)");
  CHECK(Error{"aborted", "", {}}.to_string() == "aborted");
}

TEST_CASE("taking the value of a failed result throws the error's text") {
  const Result<int> failed = constraint_violation("no");
  CHECK_THROWS_WITH(failed.value(), "constraint violation: no");
}
