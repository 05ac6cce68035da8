#include "protocol/framer.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocol/json/json_output.h"

using namespace tandem;

namespace {

/// Feeds the pieces; the values found as text, and at the end "error" if there was one.
std::vector<std::string> frames(const std::vector<std::string>& pieces,
                                std::size_t max_bytes = 1000) {
  Framer framer(max_bytes);
  std::vector<std::string> found;
  for (const std::string& piece : pieces) {
    std::string_view rest = piece;
    for (;;) {
      auto value = framer.next(rest);
      if (!value) {
        found.emplace_back("error");
        return found;
      }
      if (!*value) break;
      found.push_back(to_text(**value));
    }
    CHECK(rest.empty());
  }
  return found;
}

using Texts = std::vector<std::string>;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("values stand one after the other with or without space between") {
  CHECK(frames({"{\"a\":1}[2] \n\t {}"}) == Texts{"{\"a\":1}", "[2]", "{}"});
}

TEST_CASE("a value may arrive in any pieces") {
  const std::string stream = R"({"id":-12.5e1,"method":"é\u00e9\n","params":[true,null]}[1])";
  const Texts whole = frames({stream});
  REQUIRE(whole.size() == 2);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    CHECK(frames({stream.substr(0, cut), stream.substr(cut)}) == whole);
  }
  Texts bytes;
  for (const char c : stream) bytes.emplace_back(1, c);
  CHECK(frames(bytes) == whole);
}

TEST_CASE("a message that came in parts may be long, and messages follow it") {
  const std::string large = "[\"" + std::string(300'000, 'x') + "\",\"\\n\"]";
  const std::string stream = large + "[1]" + large + "{}";
  for (const std::size_t size : {std::size_t{7001}, std::size_t{65536}, stream.size()}) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < stream.size(); at += size)
      pieces.push_back(stream.substr(at, size));
    CHECK(frames(pieces, 1'000'000) == Texts{large, "[1]", large, "{}"});
  }
}

TEST_CASE("partial tells whether part of a value has arrived") {
  Framer framer(100);
  std::string_view piece = "  ";
  REQUIRE(framer.next(piece).has_value());
  CHECK_FALSE(framer.partial());
  piece = "[1";
  REQUIRE(framer.next(piece).has_value());
  CHECK(framer.partial());
  piece = "]";
  REQUIRE(framer.next(piece).value().has_value());
  CHECK_FALSE(framer.partial());
}

TEST_CASE("only objects and arrays may stand at top level") {
  for (const auto* text :
       {"5 ", "\"x\"", "null", "true", "}", "]", "GET / HTTP/1.0\r\n", "\xef\xbb\xbf{}"}) {
    CAPTURE(text);
    CHECK(frames({text}) == Texts{"error"});
  }
}

TEST_CASE("malformed JSON is an error as soon as it shows") {
  for (const auto* text :
       {"[1,]", "{\"a\":1,}", "{a", "[01", "[1.]", "[nul]", "[\"\\x\"]", "[\"\n\"]", "{\"a\" 1"}) {
    CAPTURE(text);
    CHECK(frames({text}) == Texts{"error"});
  }
}

TEST_CASE("NUL is an error, invalid UTF-8 is not") {
  CHECK(frames({R"(["a\u0000b"])"}) == Texts{"error"});
  CHECK(frames({std::string("[\"\0\"]", 5)}) == Texts{"error"});
  CHECK(frames({"[\"\xff\"]"}) == Texts{"[\"\xff\"]"});
}

TEST_CASE("nesting deeper than 1000 is an error") {
  CHECK(frames({nested(1000)}, 10000) == Texts{nested(1000)});
  CHECK(frames({nested(1001)}, 10000) == Texts{"error"});
}

TEST_CASE("a message may have the maximal length and no more") {
  CHECK(frames({"[1,2,3]"}, 7) == Texts{"[1,2,3]"});
  CHECK(frames({"[1,2,3]"}, 6) == Texts{"error"});
  CHECK(frames({"[1,2", ",3,4"}, 6) == Texts{"error"});
  CHECK(frames({"[1][2][3]"}, 3) == Texts{"[1]", "[2]", "[3]"});
}

TEST_CASE("after an error the stream stays failed") {
  Framer framer(100);
  std::string_view piece = "x";
  REQUIRE(framer.next(piece).has_error());
  piece = "{}";
  CHECK(framer.next(piece).has_error());
  CHECK_FALSE(framer.partial());
}

TEST_CASE("a fault is told as ovsdb-server tells it, in lines and bytes since the last message") {
  const auto fault = [](const std::vector<std::string>& pieces) {
    Framer framer(100);
    for (const std::string& piece : pieces) {
      std::string_view rest = piece;
      while (!rest.empty()) {
        const auto value = framer.next(rest);
        if (!value) return value.error().details;
      }
    }
    return std::string();
  };
  CHECK(fault({"{\"a\" 1}"}) ==
        "line 0, column 6, byte 6: syntax error parsing object expecting ':'");
  CHECK(fault({"[1]\n", "\n{\"a", "\" 1}"}) ==
        "line 2, column 6, byte 8: syntax error parsing object expecting ':'");
  CHECK(fault({"[1] x "}) == "line 0, column 2, byte 2: invalid keyword 'x'");
  CHECK(fault({"[1,\n2", "x]"}) == "line 1, column 2, byte 6: invalid keyword 'x'");
  CHECK(fault({"5 "}) == "line 0, column 1, byte 1: syntax error at beginning of input");
}
