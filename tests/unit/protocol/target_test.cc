#include "protocol/target.h"

#include <catch2/catch.hpp>

using namespace tandem;

namespace {

std::string error_of(std::string_view text) {
  const auto target = Target::parse(text);
  return target ? "none" : target.error().details;
}

void check_address(std::string_view text, Target::Kind kind, std::string_view host, int port) {
  CAPTURE(text);
  const auto target = Target::parse(text).value();
  CHECK(target.kind == kind);
  CHECK(target.text == text);
  CHECK(target.host == host);
  CHECK(target.port == port);
}

}  // namespace

TEST_CASE("connecting targets are HOST:PORT with a default port") {
  check_address("tcp:127.0.0.1:7000", Target::Kind::kTcp, "127.0.0.1", 7000);
  check_address("tcp:127.0.0.1", Target::Kind::kTcp, "127.0.0.1", 6640);
  check_address("ssl:example.org:6641", Target::Kind::kSsl, "example.org", 6641);
  check_address("tcp:[::1]:7000", Target::Kind::kTcp, "::1", 7000);
  check_address("ssl:[fd00::1]", Target::Kind::kSsl, "fd00::1", 6640);
}

TEST_CASE("listening targets are PORT:HOST with defaults for both") {
  check_address("ptcp:6641", Target::Kind::kPtcp, "", 6641);
  check_address("ptcp:0:127.0.0.1", Target::Kind::kPtcp, "127.0.0.1", 0);
  check_address("pssl:6642:[::]", Target::Kind::kPssl, "::", 6642);
  check_address("ptcp:", Target::Kind::kPtcp, "", 6640);
  check_address("ptcp::127.0.0.1", Target::Kind::kPtcp, "127.0.0.1", 6640);
}

TEST_CASE("unix targets are paths and pfd targets descriptors") {
  CHECK(Target::parse("unix:/run/db.sock").value().path == "/run/db.sock");
  const auto listener = Target::parse("punix:db.sock").value();
  CHECK(listener.path == "db.sock");
  CHECK(listener.is_passive());
  CHECK(Target::parse("pfd:3").value().fd == 3);
  CHECK(Target::parse("pfd:x").has_error());
  CHECK(Target::parse("pfd:-1").has_error());
}

TEST_CASE("only ssl and pssl are TLS, only p-targets are passive") {
  CHECK(Target::parse("ssl:h").value().is_tls());
  CHECK(Target::parse("pssl:1").value().is_tls());
  CHECK_FALSE(Target::parse("tcp:h").value().is_tls());
  CHECK_FALSE(Target::parse("tcp:h").value().is_passive());
  CHECK(Target::parse("pfd:0").value().is_passive());
}

TEST_CASE("bad targets say why") {
  CHECK(error_of("foo:x") == "foo:x: Address family not supported by protocol");
  CHECK(error_of("") == ": Address family not supported by protocol");
  CHECK(error_of("tcp:127.0.0.1:x") == R"(127.0.0.1:x: bad port number "x")");
  CHECK(error_of("tcp:127.0.0.1:99999") == R"(127.0.0.1:99999: bad port number "99999")");
  CHECK(error_of("ptcp:-1") == R"(-1: bad port number "-1")");
  CHECK(error_of("tcp:::1:7000") == "::1:7000: port must be specified");
  CHECK(error_of("tcp:") == ": host must be specified");
}

TEST_CASE("db: paths have three parts") {
  const auto path = ColumnPath::parse("db:D,T,C").value();
  CHECK(path.database == "D");
  CHECK(path.table == "T");
  CHECK(path.column == "C");
  for (const auto* text : {"db:", "db:D", "db:D,T", "db:D,T,", "D,T,C"}) {
    CAPTURE(text);
    const auto bad = ColumnPath::parse(text);
    REQUIRE(bad.has_error());
    CHECK(bad.error().to_string() == "\"" + std::string(text) + "\": invalid syntax");
  }
}
