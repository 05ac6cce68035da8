#include "protocol/json/json_verbatim.h"

#include <catch2/catch.hpp>
#include <string>

#include "protocol/json/json_reader.h"

namespace tandem {
namespace {

std::string verbatim(std::string_view text) {
  std::string out;
  append_json_verbatim(out, parse_json(text).value());
  return out;
}

TEST_CASE("JSON that is handed on keeps its order and its digits") {
  for (const char* text :
       {"null", "true", "false", R"("a\"\n\u0001b")", "[]", "{}", "[1,[2,{}],[]]",
        R"({"z":1,"a":{"y":[1.0,1e+20,1E5,-0,0.1000000000000000055]},"m":null})",
        "12345678901234567890"}) {
    CHECK(verbatim(text) == text);
  }
}

TEST_CASE("JSON that is handed on has no white space, and no member that another one supersedes") {
  CHECK(verbatim(" [ 1 , { \"a\" : 2 } ] ") == R"([1,{"a":2}])");
  CHECK(verbatim(R"({"a":1,"b":2,"a":3})") == R"({"b":2,"a":3})");
  CHECK(verbatim(R"({"a":1,"a":2})") == R"({"a":2})");
}

}  // namespace
}  // namespace tandem
