#include "server/net/key_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>

namespace tandem::net {

namespace {

std::optional<KeyFile::Time> expiry_of(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace

std::string_view KeyFile::option() const {
  switch (kind) {
    case Kind::kPrivateKey:
      return "private-key";
    case Kind::kCertificate:
      return "certificate";
    case Kind::kCaCert:
      return "ca-cert";
    case Kind::kPeerCaCert:
      return "peer-ca-cert";
  }
  return "";
}

std::optional<KeyFile::Time> expiry_of(KeyFile::Kind kind, const std::string& path) {
  if (kind == KeyFile::Kind::kPrivateKey) return std::nullopt;
  const std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
  std::optional<KeyFile::Time> expiry;
  while (file != nullptr) {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(
        PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), X509_free);
    if (certificate == nullptr) break;
    const std::optional<KeyFile::Time> one = expiry_of(*certificate);
    if (!one) continue;
    if (!expiry) expiry = one;
    expiry =
        kind == KeyFile::Kind::kCertificate ? std::min(*expiry, *one) : std::max(*expiry, *one);
  }
  ERR_clear_error();
  return expiry;
}

}  // namespace tandem::net
