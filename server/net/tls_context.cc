#include "server/net/tls_context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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
    file.expiry = expiry_of(kind, path);
  }
  return file;
}

std::string_view contents_of(KeyFile::Kind kind) {
  switch (kind) {
    case KeyFile::Kind::kPrivateKey:
      return "private key";
    case KeyFile::Kind::kCertificate:
      return "certificate";
    case KeyFile::Kind::kCaCert:
    case KeyFile::Kind::kPeerCaCert:
      return "CA certificates";
  }
  return "";
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
  std::vector<KeyFile> files;
  const auto use = [&](KeyFile::Kind kind, const std::string& path) {
    if (path.empty()) return;
    files.push_back(load_file(keys.get(), kind, path));
    good = good && files.back().problem.empty();
  };
  use(KeyFile::Kind::kCertificate, config_.certificate);
  use(KeyFile::Kind::kPrivateKey, config_.private_key);
  use(KeyFile::Kind::kPeerCaCert, config_.peer_ca_cert);

  std::error_code ignored;
  const bool bootstrapping = config_.bootstrap_ca_cert && !config_.ca_cert.empty() &&
                             !std::filesystem::exists(config_.ca_cert, ignored);
  if (config_.ca_cert == kNoVerification) {
    SSL_CTX_set_verify(keys.get(), SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(keys.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    if (!bootstrapping) use(KeyFile::Kind::kCaCert, config_.ca_cert);
  }
  note(std::move(files));
  // Files are replaced one after the other: until they fit together again the old keys serve.
  if (good || keys_.context == nullptr) keys_ = {std::move(keys), bootstrapping};
}

/// Logs what has become of each file since it was last read.
void TlsContext::note(std::vector<KeyFile> files) {
  const std::lock_guard lock(files_mutex_);
  for (const KeyFile& file : files) {
    const auto before = std::find_if(files_.begin(), files_.end(), [&](const KeyFile& other) {
      return other.kind == file.kind && other.path == file.path;
    });
    const std::string problem = before == files_.end() ? "" : before->problem;
    if (file.problem == problem) continue;
    if (file.problem.empty()) {
      stream_ssl.info("loaded {} from {}", contents_of(file.kind), file.path);
    } else {
      stream_ssl.warn("failed to load {} from {}: {}", contents_of(file.kind), file.path,
                      file.problem);
    }
  }
  files_ = std::move(files);
}

std::vector<KeyFile> TlsContext::files() const {
  const std::lock_guard lock(files_mutex_);
  return files_;
}

void TlsContext::look() {
  if (!files().empty()) current();
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
