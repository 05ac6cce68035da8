#include "protocol/monitor_condition.h"

#include <catch2/catch.hpp>

#include "sample_schema.h"

using namespace tandem;
using namespace tandem::sample;

namespace {

MonitorCondition condition(std::string_view where) {
  return MonitorCondition::from_json(table(), parsed(where)).value();
}

}  // namespace

TEST_CASE("any clause of a monitor condition suffices") {
  const auto either = condition(R"([["i","==",1],["s","==","x"]])");
  CHECK(either.matches(*row(R"({"i":1})")));
  CHECK(either.matches(*row(R"({"s":"x"})")));
  CHECK_FALSE(either.matches(*row("{}")));
}

TEST_CASE("an empty monitor condition and one with true match everything") {
  for (const auto* where : {"[]", "[true]", R"([["i","==",1],true])", R"([false,true])"}) {
    CHECK(condition(where).is_always());
    CHECK(condition(where) == MonitorCondition::always());
    CHECK(condition(where).matches(*row("{}")));
  }
}

TEST_CASE("false adds nothing to a monitor condition") {
  CHECK(condition("[false]").is_never());
  CHECK_FALSE(condition("[false]").matches(*row("{}")));
  CHECK(condition(R"([false,["i","==",1]])") == condition(R"([["i","==",1]])"));
}

TEST_CASE("monitor conditions with the same clauses are equal in whatever order") {
  CHECK(condition(R"([["i","==",1],["i","<",0],["s","==","x"]])") ==
        condition(R"([["s","==","x"],["i","==",1],["i","<",0],["i","==",1]])"));
  CHECK_FALSE(condition(R"([["i","==",1]])") == condition(R"([["i","==",2]])"));
}

TEST_CASE("a row of one table's several conditions need match one") {
  MonitorConditionBuilder builder;
  REQUIRE(builder.add(table(), parsed(R"([["i","==",1]])")));
  REQUIRE(builder.add(table(), parsed(R"([["i","==",2],["i","==",1]])")));
  CHECK(builder.build() == condition(R"([["i","==",2],["i","==",1]])"));
  REQUIRE(builder.add(table(), parsed(R"([["i","==",1]])")));
  REQUIRE(builder.add(table(), parsed("[]")));
  CHECK(builder.build().is_always());
}

TEST_CASE("a monitor condition has no named-uuids") {
  const auto read =
      MonitorCondition::from_json(table(), parsed(R"([["_uuid","==",["named-uuid","x"]]])"));
  REQUIRE(read.has_error());
  CHECK(read.error().details == R"(expected ["uuid", <string>])");
}
