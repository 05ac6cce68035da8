#include "server/net/tls_keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <utility>

#include "server/logging/log.h"
#include "server/net/socket_address.h"
#include "server/net/tls_protocols.h"

namespace tandem::net {

namespace {

log::Module stream_ssl("stream_ssl");

/// Of a file of keys or certificates.
constexpr std::uintmax_t kMostBytes = 16 << 20;

std::string library_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = nullptr;
  if (ERR_SYSTEM_ERROR(code)) return error_text(ERR_GET_REASON(code));
  if (code != 0) reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

/// Names of files may stand in a database, which clients write: what is no file of keys must not be
/// read for long, nor waited for, as pipes and the files of /proc are.
bool is_of_sane_size(const std::string& file) {
  std::error_code missing;  // OpenSSL says so better
  const auto status = std::filesystem::status(file, missing);
  if (missing || !std::filesystem::exists(status)) return true;
  const bool regular = std::filesystem::is_regular_file(status);
  const std::uintmax_t size = regular ? std::filesystem::file_size(file, missing) : 0;
  return size > 0 && size <= kMostBytes;
}

bool set_protocols(SSL_CTX* keys, const std::string& text) {
  const auto parsed = TlsProtocols::parse(text);
  if (!parsed) stream_ssl.warn("{}", parsed.error().details);
  // A slip must not open more than the default does.
  const TlsProtocols protocols = parsed ? parsed.value() : TlsProtocols{};
  constexpr std::uint64_t kOff[] = {SSL_OP_NO_TLSv1, SSL_OP_NO_TLSv1_1, SSL_OP_NO_TLSv1_2,
                                    SSL_OP_NO_TLSv1_3};
  SSL_CTX_set_min_proto_version(keys, TLS1_VERSION);
  for (unsigned i = 0; i < std::size(kOff); ++i) {
    if ((protocols.versions & 1U << i) == 0) SSL_CTX_set_options(keys, kOff[i]);
  }
  return parsed.has_value();
}

bool set_ciphers(SSL_CTX* keys, const TlsConfig& config) {
  bool good = true;
  if (!config.ciphers.empty() && SSL_CTX_set_cipher_list(keys, config.ciphers.c_str()) != 1) {
    stream_ssl.warn("SSL_CTX_set_cipher_list: {}: {}", config.ciphers, library_error());
    good = false;
  }
  if (!config.ciphersuites.empty() &&
      SSL_CTX_set_ciphersuites(keys, config.ciphersuites.c_str()) != 1) {
    stream_ssl.warn("SSL_CTX_set_ciphersuites: {}: {}", config.ciphersuites, library_error());
    good = false;
  }
  return good;
}

bool add_chain(SSL_CTX* keys, const std::string& file) {
  const std::unique_ptr<BIO, int (*)(BIO*)> stream(BIO_new_file(file.c_str(), "r"), BIO_free);
  if (stream == nullptr) return false;
  bool any = false;
  // The context takes each certificate over.
  while (X509* certificate = PEM_read_bio_X509(stream.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(keys, certificate);
    any = true;
  }
  if (any) ERR_clear_error();  // of the end
  return any;
}

bool set_ca(SSL_CTX* keys, const std::string& file) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr) return false;
  SSL_CTX_set_client_CA_list(keys, names);
  return SSL_CTX_load_verify_file(keys, file.c_str()) == 1;
}

/// Puts a file into the keys. OpenSSL knows why if that fails.
bool use_file(SSL_CTX* keys, KeyFile::Kind kind, const std::string& file) {
  switch (kind) {
    case KeyFile::Kind::kPrivateKey:
      return SSL_CTX_use_PrivateKey_file(keys, file.c_str(), SSL_FILETYPE_PEM) == 1;
    case KeyFile::Kind::kCertificate:
      return SSL_CTX_use_certificate_chain_file(keys, file.c_str()) == 1;
    case KeyFile::Kind::kCaCert:
      return set_ca(keys, file);
    case KeyFile::Kind::kPeerCaCert:
      return add_chain(keys, file);
  }
  return false;
}

KeyFile load_file(SSL_CTX* keys, KeyFile::Kind kind, const std::string& path) {
  KeyFile file{kind, path};
  if (!is_of_sane_size(path)) {
    file.problem = fmt::format("not a file of 1 to {} bytes", kMostBytes);
  } else if (!use_file(keys, kind, path)) {
    file.problem = library_error();
  } else {
    read_validity(file);
  }
  return file;
}

std::shared_ptr<SSL_CTX> make_context() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  SSL_CTX* const keys = context.get();
  SSL_CTX_set_mode(keys, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                             SSL_MODE_RELEASE_BUFFERS);
  // Clients that close without close_notify are common (Python's do) and harmless: JSON shows what
  // is cut short.
  SSL_CTX_set_options(keys,
                      SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(keys, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(keys, 0);
  SSL_CTX_set_dh_auto(keys, 1);
  SSL_CTX_set_read_ahead(keys, 1);
  SSL_CTX_set_verify(keys, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

}  // namespace

TlsKeys TlsKeys::none() { return {make_context()}; }

TlsKeys TlsKeys::read(const TlsConfig& config) {
  TlsKeys keys{make_context()};
  SSL_CTX* const context = keys.context.get();
  keys.good = set_protocols(context, config.protocols);
  keys.good = set_ciphers(context, config) && keys.good;
  const auto use = [&](KeyFile::Kind kind, const std::string& path) {
    if (path.empty()) return;
    keys.files.push_back(load_file(context, kind, path));
    keys.good = keys.good && keys.files.back().problem.empty();
  };
  use(KeyFile::Kind::kCertificate, config.certificate);
  use(KeyFile::Kind::kPrivateKey, config.private_key);
  use(KeyFile::Kind::kPeerCaCert, config.peer_ca_cert);

  std::error_code ignored;
  keys.bootstrapping = config.bootstrap_ca_cert && !config.ca_cert.empty() &&
                       !std::filesystem::exists(config.ca_cert, ignored);
  if (config.ca_cert == TlsConfig::kNoVerification) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else if (!keys.bootstrapping) {
    use(KeyFile::Kind::kCaCert, config.ca_cert);
  }
  return keys;
}

}  // namespace tandem::net
