#include "protocol/condition.h"

#include <catch2/catch.hpp>

#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

bool matches(std::string_view where, std::string_view columns) {
  SymbolTable symbols;
  return Condition::from_json(table(), parsed(where), &symbols).value().matches(*row(columns));
}

std::string error_of(std::string_view where) {
  SymbolTable symbols;
  const auto condition = Condition::from_json(table(), parsed(where), &symbols);
  return condition ? "none" : text_of(condition.error());
}

}  // namespace

TEST_CASE("a row matches when all clauses hold") {
  CHECK(matches("[]", "{}"));
  CHECK(matches(R"([["i","==",3],["s","==","x"]])", R"({"i":3,"s":"x"})"));
  CHECK_FALSE(matches(R"([["i","==",3],["s","==","x"]])", R"({"i":3})"));
  CHECK(matches(R"([["_uuid","==",["uuid","550e8400-e29b-41d4-a716-446655440001"]]])", "{}"));
}

TEST_CASE("booleans stand for clauses") {
  CHECK(matches("[true]", "{}"));
  CHECK_FALSE(matches("[false]", "{}"));
  CHECK_FALSE(matches(R"([["i","==",0],false])", "{}"));
}

TEST_CASE("ordered functions compare numbers") {
  CHECK(matches(R"([["i","<",4],["i","<=",3],["i",">=",3],["i",">",2]])", R"({"i":3})"));
  CHECK_FALSE(matches(R"([["i","<",3]])", R"({"i":3})"));
  CHECK(matches(R"([["r",">",1]])", R"({"r":1.5})"));
}

TEST_CASE("ordered functions on an empty optional number are false") {
  CHECK_FALSE(matches(R"([["oi","<",6]])", "{}"));
  CHECK_FALSE(matches(R"([["oi",">=",0]])", "{}"));
  CHECK(matches(R"([["oi","<",6]])", R"({"oi":5})"));
}

TEST_CASE("includes wants every element, excludes none") {
  CHECK(matches(R"([["si","includes",["set",[1,2]]]])", R"({"si":["set",[1,2,3]]})"));
  CHECK_FALSE(matches(R"([["si","includes",["set",[1,4]]]])", R"({"si":["set",[1,2,3]]})"));
  CHECK(matches(R"([["si","includes",["set",[]]]])", "{}"));
  CHECK(matches(R"([["si","excludes",["set",[4,5]]]])", R"({"si":["set",[1,2,3]]})"));
  CHECK_FALSE(matches(R"([["si","excludes",["set",[1,5]]]])", R"({"si":["set",[1,2,3]]})"));
}

TEST_CASE("elements of maps are pairs") {
  const auto* columns = R"({"mss":["map",[["a","x"],["b","y"]]]})";
  CHECK(matches(R"([["mss","includes",["map",[["a","x"]]]]])", columns));
  CHECK_FALSE(matches(R"([["mss","includes",["map",[["a","y"]]]]])", columns));
  CHECK(matches(R"([["mss","excludes",["map",[["a","y"]]]]])", columns));
  CHECK_FALSE(matches(R"([["mss","excludes",["map",[["a","x"],["c","y"]]]]])", columns));
}

TEST_CASE("what is not a clause is an error that shows it") {
  CHECK(error_of(R"(["n","==",3])") ==
        R"({"details":"Parse error in condition.","error":"syntax error","syntax":"\"n\""})");
  CHECK(
      error_of(R"([["i","=="]])") ==
      R"({"details":"Parse error in condition.","error":"syntax error","syntax":"[\"i\",\"==\"]"})");
  CHECK(
      error_of(R"([["zz","no",1]])") ==
      R"({"details":"No column zz in table t.","error":"unknown column","syntax":"[\"zz\",\"no\",1]"})");
  CHECK(error_of(R"([["i","no",1]])") ==
        R"({"details":"No function named no.","error":"unknown function"})");
}

TEST_CASE("ordered functions are for single numbers only") {
  CHECK(
      error_of(R"([["si","<",1]])") ==
      R"({"details":"Type mismatch: \"<\" operator may not be applied to column si of type set of integers.",)"
      R"("error":"syntax error","syntax":"[\"si\",\"<\",1]"})");
  CHECK_FALSE(error_of(R"([["s",">","x"]])") == "none");
  CHECK_FALSE(error_of(R"([["_uuid",">",1]])") == "none");
}

TEST_CASE("the size of an argument depends on the function") {
  const auto details = [](std::string_view where) {
    SymbolTable symbols;
    const auto condition = Condition::from_json(table(), parsed(where), &symbols);
    return condition ? "none" : condition.error().details;
  };
  CHECK(details(R"([["i13","==",["set",[]]]])") ==
        "set must have 1 to 3 members but 0 are present");
  CHECK(details(R"([["i13","includes",["set",[]]]])") == "none");
  CHECK(details(R"([["i13","includes",["set",[1,2,3,4]]]])") ==
        "set must have 0 to 3 members but 4 are present");
  CHECK(details(R"([["i13","excludes",["set",[1,2,3,4]]]])") == "none");
  CHECK(details(R"([["oi","<",["set",[]]]])") ==
        "set must have exactly one member but 0 are present");
  CHECK(details(R"([["i","excludes",["set",[]]]])") ==
        "set must have exactly one member but 0 are present");
}

TEST_CASE("a named-uuid in a condition is its symbol") {
  SymbolTable symbols;
  const auto condition =
      Condition::from_json(table(), parsed(R"([["_uuid","==",["named-uuid","x"]]])"), &symbols)
          .value();
  const RowRef same = Row::create(table(), symbols.get("x").uuid);
  CHECK(condition.matches(*same));
}

TEST_CASE("many clauses are merged, and hold for the rows for which each of them holds") {
  const char* const clauses[] = {R"(["i","<",4])",
                                 R"(["i","<",9])",
                                 R"(["i","<=",3])",
                                 R"(["i",">",-2])",
                                 R"(["i",">=",1])",
                                 R"(["i","!=",2])",
                                 R"(["i","!=",7])",
                                 R"(["i","==",3])",
                                 R"(["i","==",1])",
                                 R"(["i","excludes",5])",
                                 R"(["s","!=","x"])",
                                 R"(["s","!=","y"])",
                                 R"(["s","excludes","z"])",
                                 R"(["si","includes",1])",
                                 R"(["si","includes",["set",[2,3]]])",
                                 R"(["si","excludes",["set",[7,8]]])",
                                 R"(["si","excludes",9])",
                                 R"(["si","!=",["set",[1,2,3]]])",
                                 R"(["mss","includes",["map",[["a","x"]]]])",
                                 R"(["mss","includes",["map",[["a","y"]]]])",
                                 R"(["mss","includes",["map",[["b","y"]]]])",
                                 R"(["mss","excludes",["map",[["a","x"]]]])",
                                 R"(["mss","excludes",["map",[["a","y"],["c","z"]]]])",
                                 R"(["oi","<",6])",
                                 R"(["oi","!=",["set",[]]])"};
  const char* const rows[] = {
      "{}", R"({"i":3,"s":"x","oi":5})",
      R"({"i":1,"s":"z","si":["set",[1,2,3]],"mss":["map",[["a","x"],["b","y"]]]})",
      R"({"i":2,"s":"w","si":["set",[1,2,3,4]],"mss":["map",[["a","y"]]],"oi":7})",
      R"({"i":3,"s":"w","si":["set",[1,2,3,9]],"mss":["map",[["a","z"],["b","y"]]],"oi":1})"};
  std::uint32_t seed = 7;
  int matching = 0;
  for (int round = 0; round < 4000; ++round) {
    // Few kinds of clauses, so that some rows match, and more than are left unmerged.
    std::vector<std::string> chosen;
    seed = seed * 1103515245 + 12345;
    const std::size_t kinds = 1 + (seed >> 16) % 3;
    for (std::size_t i = 0; i < kinds; ++i) {
      seed = seed * 1103515245 + 12345;
      chosen.emplace_back(clauses[(seed >> 16) % std::size(clauses)]);
    }
    std::string where = "[";
    for (int i = 0; i < 12; ++i)
      where += (i > 0 ? "," : "") + chosen[static_cast<std::size_t>(i) % kinds];
    where += ']';
    for (const char* const columns : rows) {
      bool each = true;
      for (const std::string& clause : chosen) each &= matches('[' + clause + ']', columns);
      INFO(where << ' ' << columns);
      CHECK(matches(where, columns) == each);
      matching += each;
    }
  }
  CHECK(matching > 500);
}
