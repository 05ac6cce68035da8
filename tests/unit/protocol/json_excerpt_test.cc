#include "protocol/json_excerpt.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace tandem;

TEST_CASE("a short value is shown whole, a long one's beginning") {
  const json::value value = json::parse(R"({"b":[1,2,{"c":"text"}],"a":null})");
  CHECK(json_excerpt(value, 1000) == to_text(value));
  CHECK(json_excerpt(value, 12) == R"({"a":null,"b...)");
}

TEST_CASE("a long text is cut between characters") {
  CHECK(json_excerpt(json::value("\u00e4\u00e4\u00e4\u00e4"), 4) == "\"\u00e4...");
}

TEST_CASE("an excerpt of a large value holds no more than it shows") {
  json::array large;
  for (int i = 0; i < 100'000; ++i) large.emplace_back(std::string(100, 'x'));
  CHECK(json_excerpt(json::value(large), 1000).capacity() < 4000);
  CHECK(json_excerpt(json::value(std::string(1'000'000, 'x')), 1000).capacity() < 4000);
}
