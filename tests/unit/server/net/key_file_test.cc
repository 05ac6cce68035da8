#include "server/net/key_file.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "tests/unit/server/net/net_fixture.h"

namespace tandem::net {
namespace {

using test::TempFolder;
using Kind = KeyFile::Kind;

/// Certificates of their own that run out in so many days.
class Files {
 public:
  void make(const std::string& name, int days) {
    run(
        fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
                    "{0}.key -out {0}.pem -days {1} -subj /CN={1}",
                    folder_ / name, days));
  }
  void run(const std::string& command) {
    if (std::system(("( " + command + " ) 2>/dev/null").c_str()) != 0) FAIL("failed: " << command);
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  /// Nothing if nothing runs out.
  std::optional<long> days_left(Kind kind, const std::string& name) const {
    const auto expiry = expiry_of(kind, path(name));
    if (!expiry) return std::nullopt;
    const auto left = *expiry - std::chrono::system_clock::now() + std::chrono::hours(12);
    return std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
  }

 private:
  TempFolder folder_;
};

TEST_CASE("a certificate serves as long as its chain, authorities as long as the last of them") {
  Files files;
  files.make("short", 3);
  files.make("long", 30);
  files.run(fmt::format("cat {} {} {} >{}", files.path("long.pem"), files.path("short.pem"),
                        files.path("long.pem"), files.path("both")));
  CHECK(files.days_left(Kind::kCertificate, "short.pem") == 3);
  CHECK(files.days_left(Kind::kCertificate, "both") == 3);
  CHECK(files.days_left(Kind::kCaCert, "both") == 30);
  CHECK(files.days_left(Kind::kPeerCaCert, "both") == 30);
  CHECK(files.days_left(Kind::kPrivateKey, "both") == std::nullopt);
  CHECK(files.days_left(Kind::kCertificate, "short.key") == std::nullopt);
  CHECK(files.days_left(Kind::kCaCert, "nil") == std::nullopt);
}

}  // namespace
}  // namespace tandem::net
