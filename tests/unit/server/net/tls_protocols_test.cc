#include "server/net/tls_protocols.h"

#include <catch2/catch.hpp>

using tandem::net::TlsProtocols;

namespace {
int bits(const char* text) {
  const auto protocols = TlsProtocols::parse(text);
  return protocols ? protocols->versions : -1;
}
}  // namespace

TEST_CASE("Protocol lists take names, ranges and open ranges, by comma or space") {
  CHECK(bits("TLSv1.3") == 0b1000);
  CHECK(bits("TLSv1.3,TLSv1.2") == 0b1100);
  CHECK(bits("TLSv1 TLSv1.2") == 0b0101);
  CHECK(bits(" TLSv1.1, TLSv1.3 ") == 0b1010);
  CHECK(bits("TLSv1.1-TLSv1.2") == 0b0110);
  CHECK(bits("TLSv1.2+") == 0b1100);
  CHECK(bits("TLSv1+") == 0b1111);
}

TEST_CASE("An empty protocol list means TLS 1.2 and later") { CHECK(bits("") == 0b1100); }

TEST_CASE("Unknown protocols and backward ranges are refused") {
  CHECK(bits("SSLv3") == -1);
  CHECK(bits("TLSv1.3-TLSv1.2") == -1);
  CHECK(bits("TLSv1.2-") == -1);
  CHECK(TlsProtocols::parse("TLSv9").error().details == "TLSv9: SSL/TLS protocol not recognized");
}
