#include "server/net/key_file.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace tandem::net {

namespace {

std::optional<KeyFile::Time> moment_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
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

void read_validity(KeyFile& file) {
  if (file.kind == KeyFile::Kind::kPrivateKey) return;
  const std::unique_ptr<BIO, int (*)(BIO*)> text(BIO_new_file(file.path.c_str(), "r"), BIO_free);
  while (text != nullptr) {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(
        PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
    if (certificate == nullptr) break;
    const auto start = moment_of(X509_get0_notBefore(certificate.get()));
    const auto expiry = moment_of(X509_get0_notAfter(certificate.get()));
    if (!start || !expiry) continue;
    const bool all_count = file.kind == KeyFile::Kind::kCertificate;
    if (!file.start || (*start > *file.start) == all_count) file.start = start;
    if (!file.expiry || (*expiry < *file.expiry) == all_count) file.expiry = expiry;
  }
  ERR_clear_error();
}

}  // namespace tandem::net
