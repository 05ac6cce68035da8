#include "protocol/utf8.h"

#include <catch2/catch.hpp>

using namespace tandem;

TEST_CASE("valid UTF-8 is counted in characters") {
  CHECK(scan_utf8("").characters == 0);
  CHECK(scan_utf8("plain ASCII, longer than eight").characters == 30);
  CHECK(scan_utf8("é and 𝄞 and €, mixed").characters == 20);
  CHECK(scan_utf8("\xf4\x8f\xbf\xbf\xef\xbf\xbf\xed\x9f\xbf").characters == 3);
  CHECK(scan_utf8("é").fault.empty());
}

TEST_CASE("a fault in UTF-8 shows the sequence up to the byte that does not fit") {
  CHECK(scan_utf8("abcdefgh\xff").fault == "\xff");
  CHECK(scan_utf8("\x80").fault == "\x80");
  CHECK(scan_utf8("\xc0\x80").fault == "\xc0");
  CHECK(scan_utf8("\xe0\x80\x80").fault == "\xe0\x80");
  CHECK(scan_utf8("\xed\xa0\x80").fault == "\xed\xa0");
  CHECK(scan_utf8("\xf4\x90\x80\x80").fault == "\xf4\x90");
  CHECK(scan_utf8("\xf5\x80").fault == "\xf5");
  CHECK(scan_utf8("\xf0\x9d\x84x").fault == "\xf0\x9d\x84x");
  CHECK_FALSE(scan_utf8("\xff").truncated);
}

TEST_CASE("a sequence that the text's end cuts off is a fault") {
  const Utf8Scan scan = scan_utf8("a\xe2\x82");
  CHECK(scan.fault == "\xe2\x82");
  CHECK(scan.truncated);
  CHECK(scan.characters == 1);
}
