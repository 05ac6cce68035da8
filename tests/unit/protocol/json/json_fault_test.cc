#include "protocol/json/json_fault.h"

#include <catch2/catch.hpp>

using namespace tandem;

TEST_CASE("good JSON has no fault") {
  CHECK(describe_json_fault("{}").empty());
  CHECK(describe_json_fault(R"( {"a":[1,-2.5e+3,"\u00e9\ud834\udd1e\n",true,null,{}],"b":[]} )")
            .empty());
  CHECK(describe_json_fault("[\"\x7f\xff\"]").empty());
}

TEST_CASE("faults of structure name what was expected") {
  CHECK(describe_json_fault("1") == "line 0, column 1, byte 1: syntax error at beginning of input");
  CHECK(describe_json_fault("\"a\"") ==
        "line 0, column 2, byte 2: syntax error at beginning of input");
  CHECK(describe_json_fault("]") == "line 0, column 0, byte 0: syntax error at beginning of input");
  CHECK(describe_json_fault("{\"a\":1,}") ==
        "line 0, column 7, byte 7: syntax error parsing object expecting string");
  CHECK(describe_json_fault("{1:2}") ==
        "line 0, column 2, byte 2: syntax error parsing object expecting string");
  CHECK(describe_json_fault("{\"a\" 1}") ==
        "line 0, column 6, byte 6: syntax error parsing object expecting ':'");
  CHECK(describe_json_fault("{\"a\":1 \"b\":2}") ==
        "line 0, column 9, byte 9: syntax error expecting '}' or ','");
  CHECK(describe_json_fault("{\"a\":1]") ==
        "line 0, column 6, byte 6: syntax error expecting '}' or ','");
  CHECK(describe_json_fault("[1,]") == "line 0, column 3, byte 3: syntax error expecting value");
  CHECK(describe_json_fault("[1 2]") ==
        "line 0, column 4, byte 4: syntax error expecting ']' or ','");
  CHECK(describe_json_fault("[1\"a\"]") ==
        "line 0, column 4, byte 4: syntax error expecting ']' or ','");
  CHECK(describe_json_fault("[1]]") ==
        "line 0, column 3, byte 3: trailing garbage at end of input");
  CHECK(describe_json_fault("[1] 2") ==
        "line 0, column 5, byte 5: trailing garbage at end of input");
  CHECK(describe_json_fault(std::string(1001, '[')) ==
        "line 0, column 1000, byte 1000: input exceeds maximum nesting depth 1000");
}

TEST_CASE("a text that ends too early says so") {
  CHECK(describe_json_fault("") == "line 0, column 0, byte 0: empty input stream");
  CHECK(describe_json_fault("\n\n") == "line 2, column 0, byte 2: empty input stream");
  CHECK(describe_json_fault("{\"a\"") == "line 0, column 4, byte 4: unexpected end of input");
  CHECK(describe_json_fault("{\"a\":1") == "line 0, column 7, byte 7: unexpected end of input");
  CHECK(describe_json_fault("[null") == "line 0, column 6, byte 6: unexpected end of input");
  CHECK(describe_json_fault("[nul") == "line 0, column 4, byte 4: invalid keyword 'nul'");
  CHECK(describe_json_fault("[\"a") ==
        "line 0, column 3, byte 3: unexpected end of input in quoted string");
  CHECK(describe_json_fault(R"(["\"])") ==
        "line 0, column 5, byte 5: unexpected end of input in quoted string");
}

TEST_CASE("lines count from 0") {
  CHECK(describe_json_fault("{\n  \"a\": 1,\n  \"b\": tru\n}") ==
        "line 2, column 10, byte 22: invalid keyword 'tru'");
  CHECK(describe_json_fault("{\"remotes\": {},\n \"databases\": {\"db1\": null,}}") ==
        "line 1, column 27, byte 43: syntax error parsing object expecting string");
  CHECK(describe_json_fault("\n\n   {\"a\":\n\n ]") ==
        "line 4, column 1, byte 13: syntax error expecting value");
}

TEST_CASE("characters and words that JSON has not are named") {
  CHECK(describe_json_fault("[#]") == "line 0, column 1, byte 1: invalid character '#'");
  CHECK(describe_json_fault("[TRUE]") == "line 0, column 1, byte 1: invalid character 'T'");
  CHECK(describe_json_fault("[é]") == "line 0, column 1, byte 1: invalid character U+00c3");
  CHECK(describe_json_fault("[a_b]") == "line 0, column 2, byte 2: invalid keyword 'a'");
  CHECK(describe_json_fault("[123abc]") == "line 0, column 7, byte 7: invalid keyword 'abc'");
}

TEST_CASE("faulty numbers say why") {
  CHECK(describe_json_fault("[1.]") ==
        "line 0, column 3, byte 3: decimal point must be followed by digit");
  CHECK(describe_json_fault("[-01]") == "line 0, column 4, byte 4: leading zeros not allowed");
  CHECK(describe_json_fault("[--1]") == "line 0, column 4, byte 4: '-' must be followed by digit");
  CHECK(describe_json_fault("[1e+]") ==
        "line 0, column 4, byte 4: exponent must contain at least one digit");
  CHECK(describe_json_fault("[1.5.5]") == "line 0, column 6, byte 6: syntax error in number");
  CHECK(describe_json_fault("[1e5000000000]") ==
        "line 0, column 13, byte 13: exponent outside valid range");
  CHECK(describe_json_fault("[0e2147483640]") ==
        "line 0, column 13, byte 13: exponent outside valid range");
  CHECK(describe_json_fault("[0e-2147483639]").empty());
  CHECK(describe_json_fault("[-1e400]") == "line 0, column 7, byte 7: number outside valid range");
  CHECK(describe_json_fault("[1e-400,2.2250738585072014e-308]").empty());
  CHECK(describe_json_fault("[1e-320]") == "line 0, column 7, byte 7: number outside valid range");
}

TEST_CASE("faulty strings say why") {
  CHECK(describe_json_fault("[\"a\tb\"]") ==
        "line 0, column 3, byte 3: U+0009 must be escaped in quoted string");
  CHECK(describe_json_fault(R"(["\x"])") == R"(line 0, column 4, byte 4: bad escape \x)");
  CHECK(describe_json_fault(R"(["\u12"])") ==
        R"(line 0, column 6, byte 6: quoted string ends within \u escape)");
  CHECK(describe_json_fault(R"(["\u12g4"])") == R"(line 0, column 8, byte 8: malformed \u escape)");
  CHECK(describe_json_fault(R"(["\u0000"])") ==
        "line 0, column 8, byte 8: null bytes not supported in quoted strings");
  CHECK(describe_json_fault(R"(["\ud834\u12"])") ==
        "line 0, column 12, byte 12: malformed escaped surrogate pair");
  CHECK(describe_json_fault(R"(["\ud834x"])") ==
        "line 0, column 9, byte 9: malformed escaped surrogate pair");
  CHECK(describe_json_fault(R"(["\ud834\u0041"])") ==
        "line 0, column 14, byte 14: second half of escaped surrogate pair is not trailing "
        "surrogate");
}
