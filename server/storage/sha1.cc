#include "server/storage/sha1.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <utility>

#include "protocol/hex.h"

namespace tandem::storage {
namespace {

/// Hashing memory fails only when OpenSSL has no SHA-1 or no memory; no log can be written then.
void require(int status) {
  if (status != 1) std::abort();
}

/// A context that is free for the thread's next hash: to make one costs as much as a short hash.
thread_local Sha1::Context spare;

}  // namespace

void Sha1::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha1::Sha1() : context_(spare ? std::move(spare) : Context(EVP_MD_CTX_new())) {
  // Fetched once: OpenSSL 3 otherwise looks its algorithms up, under a lock, for every hash.
  static const EVP_MD* const kSha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  require(EVP_DigestInit_ex(context_.get(), kSha1, nullptr));
}

Sha1::~Sha1() { spare = std::move(context_); }

Sha1& Sha1::add(std::string_view piece) {
  require(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()));
  return *this;
}

RecordSha1 Sha1::finish() {
  RecordSha1 sha1;
  require(
      EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(sha1.data()), nullptr));
  return sha1;
}

std::string to_hex(const RecordSha1& sha1) {
  std::string text(2 * sha1.size(), '0');
  char* out = text.data();
  for (const std::byte byte : sha1) {
    *out++ = kHexDigits[std::to_integer<unsigned>(byte >> 4)];
    *out++ = kHexDigits[std::to_integer<unsigned>(byte & std::byte{15})];
  }
  return text;
}

}  // namespace tandem::storage
