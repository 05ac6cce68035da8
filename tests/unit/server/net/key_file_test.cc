#include "server/net/key_file.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>

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
  /// Lets a certificate begin in so many days. (Its signature does not hold any more.)
  void begin(const std::string& name, int days) const {
    const std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_file(path(name).c_str(), "r+"),
                                                   BIO_free);
    const std::unique_ptr<X509, void (*)(X509*)> certificate(
        PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), X509_free);
    REQUIRE(certificate != nullptr);
    const std::unique_ptr<ASN1_TIME, void (*)(ASN1_TIME*)> start(
        X509_gmtime_adj(nullptr, 86'400L * days), ASN1_TIME_free);
    REQUIRE(X509_set1_notBefore(certificate.get(), start.get()) == 1);
    REQUIRE(i2d_re_X509_tbs(certificate.get(), nullptr) > 0);
    const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new_file(path(name).c_str(), "w"), BIO_free);
    REQUIRE(PEM_write_bio_X509(out.get(), certificate.get()) == 1);
  }
  long starts_in_days(Kind kind, const std::string& name) const {
    KeyFile file{kind, path(name)};
    read_validity(file);
    const auto left = file.start.value() - std::chrono::system_clock::now();
    return std::chrono::duration_cast<std::chrono::hours>(left + std::chrono::hours(12)).count() /
           24;
  }
  /// Nothing if nothing runs out.
  std::optional<long> days_left(Kind kind, const std::string& name) const {
    KeyFile file{kind, path(name)};
    read_validity(file);
    CHECK(file.start.has_value() == file.expiry.has_value());
    if (!file.expiry) return std::nullopt;
    const auto left = *file.expiry - std::chrono::system_clock::now() + std::chrono::hours(12);
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

TEST_CASE("a certificate begins with the last of its chain, authorities with the first of them") {
  Files files;
  files.make("now", 30);
  files.make("later", 30);
  files.begin("later.pem", 7);
  files.run(fmt::format("cat {} {} {} >{}", files.path("now.pem"), files.path("later.pem"),
                        files.path("now.pem"), files.path("both")));
  CHECK(files.starts_in_days(Kind::kCertificate, "later.pem") == 7);
  CHECK(files.starts_in_days(Kind::kCertificate, "both") == 7);
  CHECK(files.starts_in_days(Kind::kCaCert, "both") == 0);
  CHECK(files.starts_in_days(Kind::kPeerCaCert, "later.pem") == 7);
}

}  // namespace
}  // namespace tandem::net
