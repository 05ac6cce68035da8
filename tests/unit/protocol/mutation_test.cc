#include "protocol/mutation.h"

#include <catch2/catch.hpp>

#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

/// The column after one mutation, or the error.
std::string mutated(std::string_view mutation_text, std::string_view columns) {
  SymbolTable symbols;
  const auto mutation = Mutation::from_json(table(), parsed(mutation_text), &symbols);
  if (!mutation) return text_of(mutation.error());
  const auto after =
      mutation->apply(table().column(mutation->column), row(columns)->datum(mutation->column));
  return after ? text_of(after->view()) : text_of(after.error());
}

std::string error(std::string_view tag, std::string_view details) {
  return text_of(Error{std::string(tag), std::string(details), std::nullopt});
}

}  // namespace

TEST_CASE("arithmetic mutators compute integers and reals") {
  CHECK(mutated(R"(["i","+=",2])", R"({"i":5})") == "7");
  CHECK(mutated(R"(["i","-=",7])", R"({"i":5})") == "-2");
  CHECK(mutated(R"(["i","*=",-3])", R"({"i":5})") == "-15");
  CHECK(mutated(R"(["i","/=",2])", R"({"i":-5})") == "-2");
  CHECK(mutated(R"(["i","%=",3])", R"({"i":-5})") == "-2");
  CHECK(mutated(R"(["r","/=",2])", R"({"r":5})") == "2.5");
}

TEST_CASE("arithmetic mutators apply to each element of a set") {
  CHECK(mutated(R"(["si","+=",1])", R"({"si":["set",[1,2,3]]})") == R"(["set",[2,3,4]])");
  CHECK(mutated(R"(["si","*=",-1])", R"({"si":["set",[1,2,3]]})") == R"(["set",[-3,-2,-1]])");
  CHECK(mutated(R"(["si","/=",0])", "{}") == R"(["set",[]])");
}

TEST_CASE("elements that become equal are a constraint violation") {
  CHECK(mutated(R"(["si","*=",0])", R"({"si":["set",[1,2]]})") ==
        error("constraint violation", R"(Result of "*=" operation contains duplicates.)"));
}

TEST_CASE("results that do not fit are range errors") {
  const auto* largest = R"({"i":9223372036854775807})";
  const auto* smallest = R"({"i":-9223372036854775808})";
  CHECK(mutated(R"(["i","+=",1])", largest) ==
        error("range error", R"(Result of "+=" operation is out of range.)"));
  CHECK(mutated(R"(["i","-=",1])", smallest) ==
        error("range error", R"(Result of "-=" operation is out of range.)"));
  CHECK(mutated(R"(["i","*=",2])", largest) ==
        error("range error", R"(Result of "*=" operation is out of range.)"));
  CHECK(mutated(R"(["i","/=",-1])", smallest) ==
        error("range error", R"(Result of "/=" operation is out of range.)"));
  CHECK(mutated(R"(["i","%=",-1])", smallest) ==
        error("range error", R"(Result of "%=" operation is out of range.)"));
  CHECK(mutated(R"(["r","*=",10])", R"({"r":1e308})") ==
        error("range error", R"(Result of "*=" operation is out of range.)"));
}

TEST_CASE("a result that is too small for a normal real is zero") {
  CHECK(mutated(R"(["r","/=",1e200])", R"({"r":1e-200})") == "0");
  CHECK(mutated(R"(["r","/=",1e115])", R"({"r":-1e-200})") == "0");
  CHECK(mutated(R"(["r","*=",1e-100])", R"({"r":1e-200})") == "1e-300");
}

TEST_CASE("the largest products are refused too, as ovsdb-server does") {
  const auto* half = R"({"i":4611686018427387903})";
  CHECK(mutated(R"(["i","*=",1])", half) == "4611686018427387903");
  CHECK(mutated(R"(["i","*=",2])", half) ==
        error("range error", R"(Result of "*=" operation is out of range.)"));
  CHECK(mutated(R"(["i","*=",-2])", half) == "-9223372036854775806");
}

TEST_CASE("division by zero is a domain error") {
  for (const auto* mutation : {R"(["i","/=",0])", R"(["i","%=",0])", R"(["r","/=",0])"}) {
    CHECK(mutated(mutation, R"({"i":1,"r":1})") == error("domain error", "Division by zero."));
  }
}

TEST_CASE("a result has to keep the column's constraints, the argument has not") {
  CHECK(mutated(R"(["lim","+=",8])", R"({"lim":3})") ==
        error("constraint violation", "11 is not in the valid range -5 to 10 (inclusive)"));
  CHECK(mutated(R"(["lim","+=",12])", R"({"lim":-5})") == "7");
}

TEST_CASE("insert adds elements and keeps the values of keys that are there") {
  CHECK(mutated(R"(["si","insert",["set",[2,4]]])", R"({"si":["set",[1,2]]})") ==
        R"(["set",[1,2,4]])");
  CHECK(mutated(R"(["mss","insert",["map",[["a","z"],["c","w"]]]])",
                R"({"mss":["map",[["a","x"]]]})") == R"(["map",[["a","x"],["c","w"]]])");
}

TEST_CASE("delete takes elements of a set, pairs or keys of a map") {
  const auto* columns = R"({"si":["set",[1,2]],"mss":["map",[["a","x"],["b","y"]]]})";
  CHECK(mutated(R"(["si","delete",["set",[2,4]]])", columns) == "1");
  CHECK(mutated(R"(["mss","delete","a"])", columns) == R"(["map",[["b","y"]]])");
  CHECK(mutated(R"(["mss","delete",["set",["a","b"]]])", columns) == R"(["map",[]])");
  CHECK(mutated(R"(["mss","delete",["map",[["a","x"],["b","no"]]]])", columns) ==
        R"(["map",[["b","y"]]])");
}

TEST_CASE("the number of elements is checked after a mutation") {
  const auto* columns = R"({"i13":["set",[1,2,3]],"oi":5})";
  CHECK(mutated(R"(["i13","insert",4])", columns) ==
        error("constraint violation", "Attempted to store 4 elements in set of 1 to 3 integers."));
  CHECK(mutated(R"(["i13","insert",3])", columns) == R"(["set",[1,2,3]])");
  CHECK(mutated(R"(["i13","delete",["set",[1,2,3,4]]])", columns) ==
        error("constraint violation", "Attempted to store 0 elements in set of 1 to 3 integers."));
  CHECK(mutated(R"(["oi","insert",6])", columns) ==
        error("constraint violation", "Attempted to store 2 elements in set of up to 1 integers."));
}

TEST_CASE("what is not a mutation is an error that shows it") {
  CHECK(
      mutated(R"(["i","+="])", "{}") ==
      R"({"details":"Parse error in mutation.","error":"syntax error","syntax":"[\"i\",\"+=\"]"})");
  CHECK(
      mutated(R"(["zz","no",1])", "{}") ==
      R"({"details":"No column zz in table t.","error":"unknown column","syntax":"[\"zz\",\"no\",1]"})");
  CHECK(mutated(R"(["i","=",1])", "{}") ==
        R"({"details":"No mutator named =.","error":"unknown mutator"})");
  CHECK(
      mutated(R"(["s","+=","x"])", "{}") ==
      R"({"details":"Type mismatch: \"+=\" operator may not be applied to column s of type string.",)"
      R"("error":"syntax error","syntax":"[\"s\",\"+=\",\"x\"]"})");
  CHECK(mutated(R"(["i","insert",1])", "{}").find("Type mismatch") != std::string::npos);
  CHECK(mutated(R"(["sr","%=",1])", "{}").find("Type mismatch") != std::string::npos);
  CHECK(mutated(R"(["mss","insert","a"])", "{}") ==
        R"({"details":"expected [\"map\", <array>]","error":"syntax error","syntax":"\"a\""})");
}

TEST_CASE("immutable columns are refused before anything else about the mutation") {
  CHECK(
      mutated(R"(["im","no","x"])", "{}") ==
      R"({"details":"Cannot mutate immutable column im in table t.","error":"constraint violation",)"
      R"("syntax":"[\"im\",\"no\",\"x\"]"})");
  CHECK(mutated(R"(["_uuid","+=",1])", "{}").find("Cannot mutate immutable column _uuid") !=
        std::string::npos);
}

TEST_CASE("a set or map does not grow beyond what a datum may have") {
  SymbolTable symbols;
  const auto half = [](std::string_view key) {
    const std::string text((Datum::kMaxBytes / 2) + 1, 'x');
    DatumBuilder builder(AtomicType::kString, AtomicType::kString);
    builder.add(key, std::string_view(text));
    return *builder.build();
  };
  Mutation mutation =
      Mutation::from_json(table(), parsed(R"(["mss","insert",["map",[["a","b"]]]])"), &symbols)
          .value();
  mutation.argument = half("a");
  const auto after = mutation.apply(table().column(mutation.column), half("b"));
  REQUIRE_FALSE(after.has_value());
  CHECK(after.error().tag == "resources exhausted");
}
