#include "server/net/tls_context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "server/logging/log.h"
#include "server/logging/rate_limit.h"
#include "server/net/io_shard.h"
#include "server/net/socket_address.h"
#include "server/net/tls_protocols.h"
#include "server/net/tls_stream.h"

namespace tandem::net {

namespace {

log::Module stream_ssl("stream_ssl");

constexpr std::int64_t kLookEveryMs = 50;
constexpr std::string_view kNoVerification = "none";
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

/// Logs a failed step and passes its outcome on.
bool check(bool good, std::string_view what, const std::string& value) {
  if (!good) stream_ssl.warn("failed to load {} from {}: {}", what, value, library_error());
  return good;
}

/// Names of files may stand in a database, which clients write: what is no file of keys must not be
/// read for long, nor waited for, as pipes and the files of /proc are.
bool is_of_sane_size(std::string_view what, const std::string& file) {
  std::error_code missing;  // OpenSSL says so better
  const auto status = std::filesystem::status(file, missing);
  if (missing || !std::filesystem::exists(status)) return true;
  const bool regular = std::filesystem::is_regular_file(status);
  const std::uintmax_t size = regular ? std::filesystem::file_size(file, missing) : 0;
  if (size > 0 && size <= kMostBytes) return true;
  stream_ssl.warn("failed to load {} from {}: not a file of 1 to {} bytes", what, file, kMostBytes);
  return false;
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
  if (!is_of_sane_size("CA certificates", file)) return false;
  std::FILE* stream = std::fopen(file.c_str(), "re");
  if (stream == nullptr) {
    stream_ssl.warn("failed to open {} for reading: {}", file, error_text(errno));
    return false;
  }
  // The context takes each certificate over.
  while (X509* certificate = PEM_read_X509(stream, nullptr, nullptr, nullptr)) {
    SSL_CTX_add_extra_chain_cert(keys, certificate);
  }
  ERR_clear_error();
  std::fclose(stream);
  return true;
}

bool set_ca(SSL_CTX* keys, const std::string& file) {
  if (!is_of_sane_size("CA certificates", file)) return false;
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (!check(names != nullptr, "CA certificates", file)) return false;
  SSL_CTX_set_client_CA_list(keys, names);
  return check(SSL_CTX_load_verify_file(keys, file.c_str()) == 1, "CA certificates", file);
}

void make_absolute(std::string& file) {
  if (!file.empty() && file != kNoVerification) file = std::filesystem::absolute(file).string();
}

}  // namespace

TlsContext::TlsContext() = default;
TlsContext::~TlsContext() = default;

void TlsContext::configure(TlsConfig config) {
  for (std::string* file :
       {&config.private_key, &config.certificate, &config.ca_cert, &config.peer_ca_cert}) {
    make_absolute(*file);
  }
  std::lock_guard lock(mutex_);
  if (keys_.context != nullptr && config == config_) return;
  config_ = std::move(config);
  keys_ = {};
  load();
}

TlsConfig TlsContext::config() const {
  std::lock_guard lock(mutex_);
  return config_;
}

std::vector<TlsContext::Watched> TlsContext::look_at_files() const {
  std::vector<Watched> files;
  for (const std::string* file :
       {&config_.private_key, &config_.certificate, &config_.ca_cert, &config_.peer_ca_cert}) {
    if (file->empty()) continue;
    std::error_code missing;
    const auto changed = std::filesystem::last_write_time(*file, missing);
    files.push_back({*file, missing ? std::filesystem::file_time_type::min() : changed});
  }
  return files;
}

void TlsContext::load() {
  watched_ = look_at_files();
  looked_ms_ = IoShard::now_ms();
  std::shared_ptr<SSL_CTX> keys(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  SSL_CTX_set_mode(keys.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
  // Clients that close without close_notify are common (Python's do) and harmless: JSON shows what
  // is cut short.
  SSL_CTX_set_options(keys.get(),
                      SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(keys.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(keys.get(), 0);
  SSL_CTX_set_dh_auto(keys.get(), 1);
  SSL_CTX_set_read_ahead(keys.get(), 1);

  bool good = set_protocols(keys.get(), config_.protocols);
  good = set_ciphers(keys.get(), config_) && good;
  if (!config_.certificate.empty()) {
    good = is_of_sane_size("certificate", config_.certificate) &&
           check(SSL_CTX_use_certificate_chain_file(keys.get(), config_.certificate.c_str()) == 1,
                 "certificate", config_.certificate) &&
           good;
  }
  if (!config_.private_key.empty()) {
    good = is_of_sane_size("private key", config_.private_key) &&
           check(SSL_CTX_use_PrivateKey_file(keys.get(), config_.private_key.c_str(),
                                             SSL_FILETYPE_PEM) == 1,
                 "private key", config_.private_key) &&
           good;
  }
  if (!config_.peer_ca_cert.empty()) good = add_chain(keys.get(), config_.peer_ca_cert) && good;

  std::error_code ignored;
  const bool bootstrapping = config_.bootstrap_ca_cert && !config_.ca_cert.empty() &&
                             !std::filesystem::exists(config_.ca_cert, ignored);
  if (config_.ca_cert == kNoVerification) {
    SSL_CTX_set_verify(keys.get(), SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(keys.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    if (!config_.ca_cert.empty() && !bootstrapping)
      good = set_ca(keys.get(), config_.ca_cert) && good;
  }
  // Files are replaced one after the other: until they fit together again the old keys serve.
  if (good || keys_.context == nullptr) keys_ = {std::move(keys), bootstrapping};
}

TlsContext::Keys TlsContext::current() {
  std::lock_guard lock(mutex_);
  if (keys_.context == nullptr) {
    load();
  } else if (const std::int64_t now_ms = IoShard::now_ms(); now_ms - looked_ms_ >= kLookEveryMs) {
    looked_ms_ = now_ms;
    if (look_at_files() != watched_) load();
  }
  Keys keys = keys_;
  keys.server_name = config_.server_name;
  return keys;
}

std::unique_ptr<Stream> TlsContext::make_stream(IoShard& shard, UniqueFd fd, FdListener& listener,
                                                Side side, std::string name) {
  const Keys keys = current();
  const bool has_key = SSL_CTX_get0_privatekey(keys.context.get()) != nullptr &&
                       SSL_CTX_get0_certificate(keys.context.get()) != nullptr;
  // The handshake will fail, and OpenSSL will only say that no cipher fits.
  static log::RateLimit limit(60, 30);
  if (side == Side::kServer && !has_key && limit.admit(stream_ssl, log::Level::kWarn))
    stream_ssl.warn("{}: private key and certificate must be configured to use TLS", name);
  // Only who connects learns an authority: a client must not choose by whom it is trusted.
  const bool learns = keys.bootstrapping && side == Side::kClient;
  auto stream = std::make_unique<TlsStream>(shard, std::move(fd), listener, keys.context.get(),
                                            learns ? this : nullptr, side, std::move(name));
  if (side == Side::kClient && !keys.server_name.empty()) stream->ask_for(keys.server_name);
  return stream;
}

std::string TlsContext::save_root(const std::string& pem) {
  std::lock_guard lock(mutex_);
  const UniqueFd file(open(config_.ca_cert.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
  if (!file) return error_text(errno);
  if (write(file.get(), pem.data(), pem.size()) != static_cast<ssize_t>(pem.size())) {
    const int error = errno;
    unlink(config_.ca_cert.c_str());
    return error_text(error);
  }
  load();
  return {};
}

}  // namespace tandem::net
