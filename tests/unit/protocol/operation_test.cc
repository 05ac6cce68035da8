#include "protocol/operation.h"

#include <catch2/catch.hpp>

#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

Result<Operation> read(std::string_view text) {
  SymbolTable symbols;
  return operation_from_json(*schema(), parsed(text), 1, 1, symbols);
}

template <class Op>
Op read_as(std::string_view text) {
  return std::get<Op>(read(text).value());
}

Error error_of(std::string_view text) {
  const auto operation = read(text);
  REQUIRE(operation.has_error());
  return operation.error();
}

/// What follows "Parsing ovsdb operation 1 of 1 failed: ".
std::string failure(std::string_view text) {
  const std::string_view prefix = "Parsing ovsdb operation 1 of 1 failed: ";
  const Error error = error_of(text);
  CHECK(error.tag == "syntax error");
  REQUIRE(error.details.starts_with(prefix));
  return error.details.substr(prefix.size());
}

Transaction transaction(std::string_view params) {
  return Transaction::from_json(schema(), parsed(params));
}

}  // namespace

TEST_CASE("bad members of an operation are named, with its place in the request") {
  CHECK(
      text_of(error_of(R"({"op":"nope"})")) ==
      R"({"details":"Parsing ovsdb operation 1 of 1 failed: No operation \"nope\"","error":"syntax error",)"
      R"("syntax":"{\"op\":\"nope\"}"})");
  CHECK(
      text_of(error_of("5")) ==
      R"({"details":"Parsing ovsdb operation 1 of 1 failed: Object expected.","error":"syntax error"})");
  CHECK(failure("{}") == "Required 'op' member is missing.");
  CHECK(failure(R"({"op":5})") == "Type mismatch for member 'op'.");
  CHECK(failure(R"({"op":"insert"})") == "Required 'table' member is missing.");
  CHECK(failure(R"({"op":"insert","table":"a b"})") == "Type mismatch for member 'table'.");
  CHECK(failure(R"({"op":"insert","table":"no","row":5})") == "No table named no.");
  CHECK(failure(R"({"op":"insert","table":"q"})") == "Required 'row' member is missing.");
  CHECK(failure(R"({"op":"insert","table":"q","row":{"zz":1},"uuid-name":"0x"})") ==
        "Type mismatch for member 'uuid-name'.");
  CHECK(failure(R"({"op":"insert","table":"q","row":{"zz":1},"more":1})") ==
        "Member 'more' is present but not allowed here.");
  CHECK(failure(R"({"op":"select","table":"q"})") == "Required 'where' member is missing.");
  CHECK(failure(R"({"op":"select","table":"q","where":true})") ==
        "Type mismatch for member 'where'.");
  CHECK(failure(R"({"op":"update","table":"q","where":[]})") ==
        "Required 'row' member is missing.");
  CHECK(failure(R"({"op":"mutate","table":"q","where":[]})") ==
        "Required 'mutations' member is missing.");
  CHECK(failure(R"({"op":"wait","table":"q","where":[]})") ==
        "Required 'until' member is missing.");
  CHECK(failure(R"({"op":"wait","table":"q","where":[],"until":"==","rows":[],"timeout":1.5})") ==
        "Type mismatch for member 'timeout'.");
  CHECK(failure(R"({"op":"commit"})") == "Required 'durable' member is missing.");
  CHECK(failure(R"({"op":"abort","x":1})") == "Member 'x' is present but not allowed here.");
  CHECK(failure(R"({"op":"comment"})") == "Required 'comment' member is missing.");
  CHECK(failure(R"({"op":"assert","lock":"a b"})") == "Type mismatch for member 'lock'.");
}

TEST_CASE("an insert has its row and its UUID") {
  const auto plain = read_as<InsertOp>(R"({"op":"insert","table":"q","row":{"n":5}})");
  CHECK(plain.table == *schema()->find_table("q"));
  REQUIRE(plain.row.size() == 1);
  CHECK(text_of(plain.row[0].datum.view()) == "5");
  CHECK_FALSE(plain.row_uuid.is_zero());
  CHECK_FALSE(plain.uuid);

  const auto requested = read_as<InsertOp>(
      R"({"op":"insert","table":"q","row":{},"uuid":"550e8400-e29b-41d4-a716-446655440001"})");
  CHECK(requested.uuid == uuid(1));
  CHECK(requested.row_uuid == uuid(1));
  CHECK(text_of(error_of(R"({"op":"insert","table":"q","row":{},"uuid":"x"})")) ==
        R"({"details":"bad uuid","error":"syntax error","syntax":"\"x\""})");
}

TEST_CASE("an insert's pseudo columns are read and ignored") {
  const auto op = read_as<InsertOp>(
      R"({"op":"insert","table":"q","row":{"_uuid":["uuid","550e8400-e29b-41d4-a716-446655440001"],"n":1}})");
  CHECK(op.row.size() == 1);
  CHECK_FALSE(op.row_uuid == uuid(1));
  CHECK(error_of(R"({"op":"insert","table":"q","row":{"_uuid":5}})").details ==
        R"(expected ["uuid", <string>])");
}

TEST_CASE("an insert that leaves out a column whose default is not allowed fails") {
  CHECK(
      text_of(error_of(R"({"op":"insert","table":"strict","row":{}})")) ==
      R"-({"details":"\"\" is not one of the allowed values ([a, b])","error":"constraint violation"})-");
  CHECK(read(R"({"op":"insert","table":"strict","row":{"e":"a"}})").has_value());
}

TEST_CASE("rows name columns of their table") {
  CHECK(text_of(error_of(R"({"op":"insert","table":"q","row":{"zz":1}})")) ==
        R"({"details":"No column zz in table q.","error":"unknown column","syntax":"{\"zz\":1}"})");
  CHECK(text_of(error_of(R"({"op":"insert","table":"q","row":{"n":"x"}})")) ==
        R"({"details":"expected integer","error":"syntax error","syntax":"\"x\""})");
}

TEST_CASE("immutable columns are not updated, and that is found before the condition is read") {
  CHECK(
      text_of(error_of(R"({"op":"update","table":"t","where":[["zz"]],"row":{"im":0}})")) ==
      R"({"details":"Cannot update immutable column im in table t.","error":"constraint violation",)"
      R"("syntax":"{\"op\":\"update\",\"row\":{\"im\":0},\"table\":\"t\",\"where\":[[\"zz\"]]}"})");
}

TEST_CASE("a select has columns, by default all, and an order") {
  const auto all = read_as<SelectOp>(R"({"op":"select","table":"q","where":[]})");
  CHECK(all.columns == std::vector<ColumnIndex>{0, 1, 2, 3});
  const auto some = read_as<SelectOp>(
      R"({"op":"select","table":"q","where":[],"columns":["name","_uuid"],"sort":["n"]})");
  CHECK(some.columns == std::vector<ColumnIndex>{column("name", "q"), kUuidColumn});
  CHECK(some.sort == std::vector<ColumnIndex>{column("n", "q")});

  CHECK(
      text_of(error_of(R"({"op":"select","table":"q","where":[],"columns":["zz"]})")) ==
      R"({"details":"zz is not a valid column name","error":"syntax error","syntax":"[\"zz\"]"})");
  CHECK(
      text_of(error_of(R"({"op":"select","table":"q","where":[],"columns":["n","n"]})")) ==
      R"({"details":"array of distinct column names expected","error":"syntax error","syntax":"[\"n\",\"n\"]"})");
}

TEST_CASE("a wait's rows have a datum for each compared column") {
  const auto wait = read_as<WaitOp>(
      R"({"op":"wait","table":"q","where":[],"columns":["n","name"],"until":"!=","rows":[{"n":3},{}],"timeout":7})");
  CHECK(wait.timeout_ms == 7);
  CHECK_FALSE(wait.equal);
  REQUIRE(wait.rows.size() == 2);
  CHECK(text_of(wait.rows[0][0].view()) == "3");
  CHECK(text_of(wait.rows[0][1].view()) == R"("")");
  CHECK(text_of(wait.rows[1][0].view()) == "0");
}

TEST_CASE("a wait's columns that are not compared are read and ignored") {
  const auto wait = read_as<WaitOp>(
      R"({"op":"wait","table":"q","where":[],"columns":["n"],"until":"==","rows":[{"name":"x"}]})");
  CHECK_FALSE(wait.timeout_ms);
  CHECK(wait.equal);
  CHECK(wait.rows[0].size() == 1);
}

TEST_CASE("a wait's contents are checked in order") {
  const auto details = [](std::string_view members) {
    return error_of(R"({"op":"wait","table":"q",)" + std::string(members) + "}").details;
  };
  CHECK(details(R"("where":[["zz"]],"columns":["zz"],"until":"<","rows":[5],"timeout":-1)") ==
        "Parse error in condition.");
  CHECK(details(R"("where":[],"columns":["zz"],"until":"<","rows":[5],"timeout":-1)") ==
        "zz is not a valid column name");
  CHECK(details(R"("where":[],"columns":["n"],"until":"<","rows":[5],"timeout":-1)") ==
        "timeout must be nonnegative");
  CHECK(details(R"("where":[],"columns":["n"],"until":"<","rows":[5])") ==
        R"("until" must be "==" or "!=")");
  CHECK(details(R"("where":[],"columns":["n"],"until":"==","rows":[5])") ==
        "row must be JSON object");
}

TEST_CASE("a uuid-name is the same UUID before and after its insert") {
  auto t = transaction(R"(["T",{"op":"insert","table":"t","row":{"ref":["named-uuid","x"]}},
                              {"op":"insert","table":"t","row":{},"uuid-name":"x"}])");
  REQUIRE(t.operations.size() == 2);
  const auto& user = std::get<InsertOp>(t.operations[0]);
  const auto& named = std::get<InsertOp>(t.operations[1]);
  CHECK(std::get<Uuid>(user.row[0].datum.view().key(0)) == named.row_uuid);
  CHECK(t.symbols.get("x").created);
}

TEST_CASE("a requested UUID becomes that of the uuid-name") {
  auto t = transaction(
      R"(["T",{"op":"insert","table":"t","row":{},"uuid-name":"x","uuid":"550e8400-e29b-41d4-a716-446655440002"},
              {"op":"insert","table":"t","row":{"ref":["named-uuid","x"]}}])");
  const auto& user = std::get<InsertOp>(t.operations[1]);
  CHECK(std::get<Uuid>(user.row[0].datum.view().key(0)) == uuid(2));
}

TEST_CASE("a uuid-name may be given once") {
  const auto t = transaction(R"(["T",{"op":"insert","table":"q","row":{},"uuid-name":"x"},
                                    {"op":"insert","table":"q","row":{"zz":1},"uuid-name":"x"},5])");
  CHECK(t.operations.size() == 1);
  CHECK(t.count == 3);
  REQUIRE(t.error);
  CHECK(text_of(*t.error) ==
        R"({"details":"This \"uuid-name\" appeared on an earlier \"insert\" operation.",)"
        R"("error":"duplicate uuid-name","syntax":"\"x\""})");
}

TEST_CASE("reading a transaction stops at the first bad operation") {
  const auto t = transaction(R"(["T",{"op":"abort"},{"op":"nope"},{"op":"also bad"}])");
  CHECK(t.operations.size() == 1);
  REQUIRE(t.error);
  CHECK(t.error->details == R"(Parsing ovsdb operation 2 of 3 failed: No operation "nope")");
  CHECK(transaction(R"(["T"])").operations.empty());
}
