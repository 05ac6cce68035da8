#include "server/logging/printable.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

TEST_CASE("text is shown as it is") {
  CHECK(printable("a \"b\" \\ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "a \"b\" \\ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST_CASE("control characters are escaped, those beyond ASCII too") {
  CHECK(printable("a\nb\rc\td\x1b[2Je\x7f") == "a\\nb\\rc\\td\\x1b[2Je\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\xc2\x9b"
                  "2J\xc2\xa0") == "\\x9b2J\xc2\xa0");
}

TEST_CASE("what is no UTF-8 is escaped byte by byte") {
  CHECK(printable("a\xff\xc3z\x9b") == "a\\xff\\xc3z\\x9b");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
}

TEST_CASE("a long text is cut between characters, and says how long it was") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef... (7 bytes in all)");
  CHECK(printable("abcd\xe2\x82\xac", 6) == "abcd... (7 bytes in all)");
  CHECK(printable(std::string(20'000'000, 'x')).size() < 1100);
}

}  // namespace
}  // namespace tandem
