#include "protocol/json/json_text.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "protocol/json/json_reader.h"

using namespace tandem;

namespace {

struct Pieces {
  std::string whole;
  std::size_t longest = 0;
  std::size_t count = 0;
};

Pieces pieces_of(JsonText& text) {
  Pieces pieces;
  while (const SharedText piece = text.next()) {
    pieces.whole += *piece;
    pieces.longest = std::max(pieces.longest, piece->size());
    ++pieces.count;
  }
  return pieces;
}

}  // namespace

TEST_CASE("a JSON value has the same text in pieces as in one") {
  std::string large = R"({"b":[1,2.5,"x\n",null,true,{}],"a":{"z":[],"y":{"k":[[["v"]]]}},"n":[0)";
  for (int i = 1; i < 100'000; ++i) large += ",{\"b\":" + std::to_string(i) + ",\"a\":[]}";
  large += "]}";
  for (const std::string& text : {std::string("null"), std::string("[]"), std::string("\"a\""),
                                  std::string(R"({"a":[{}]})"), large}) {
    const JsonDocument value = parse_json(text).value();
    JsonDocument document = parse_json(text).value();
    const JsonView root = document;
    JsonText source("head", std::move(document), root, "tail");
    const Pieces pieces = pieces_of(source);
    CHECK(pieces.whole == "head" + to_text(value) + "tail");
    CHECK(source.ended());
    CHECK(pieces.longest < (std::size_t{65} << 10));
  }
}

TEST_CASE("the text of a small JSON value is one piece") {
  JsonDocument document = parse_json(R"([1,{"a":[2]}])").value();
  const JsonView root = document;
  JsonText text("<", std::move(document), root, ">");
  CHECK(*text.next() == R"(<[1,{"a":[2]}]>)");
  CHECK(text.ended());
}
