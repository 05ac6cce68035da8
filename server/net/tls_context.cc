#include "server/net/tls_context.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "server/logging/log.h"
#include "server/logging/rate_limit.h"
#include "server/net/io_shard.h"
#include "server/net/socket_address.h"
#include "server/net/tls_stream.h"

namespace tandem::net {

namespace {

log::Module stream_ssl("stream_ssl");

constexpr std::int64_t kLookEveryMs = 50;

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

/// Logs what has become of each file since it was last read.
void tell(const std::vector<KeyFile>& former, const std::vector<KeyFile>& files) {
  for (const KeyFile& file : files) {
    const auto before = std::find_if(former.begin(), former.end(), [&](const KeyFile& other) {
      return other.kind == file.kind && other.path == file.path;
    });
    const std::string problem = before == former.end() ? "" : before->problem;
    if (file.problem == problem) continue;
    if (file.problem.empty()) {
      stream_ssl.info("loaded {} from {}", contents_of(file.kind), file.path);
    } else {
      stream_ssl.warn("failed to load {} from {}: {}", contents_of(file.kind), file.path,
                      file.problem);
    }
  }
}

void make_absolute(std::string& file) {
  if (!file.empty() && file != TlsConfig::kNoVerification)
    file = std::filesystem::absolute(file).string();
}

}  // namespace

void TlsContext::configure(TlsConfig config) {
  for (std::string* file :
       {&config.private_key, &config.certificate, &config.ca_cert, &config.peer_ca_cert}) {
    make_absolute(*file);
  }
  {
    const MutexLock lock(mutex_);
    if (keys_.context != nullptr && config == config_) return;
    config_ = std::move(config);
    ++configured_;
    looked_ms_ = IoShard::now_ms();
    keys_ = {};
  }
  disk_.run([this] { read(); });
}

TlsConfig TlsContext::config() const {
  const MutexLock lock(mutex_);
  return config_;
}

std::vector<KeyFile> TlsContext::files() const {
  const MutexLock lock(mutex_);
  return files_;
}

std::vector<TlsContext::Watched> TlsContext::look_at_files(const TlsConfig& config) {
  std::vector<Watched> files;
  for (const std::string* file :
       {&config.private_key, &config.certificate, &config.ca_cert, &config.peer_ca_cert}) {
    if (file->empty()) continue;
    std::error_code missing;
    const auto changed = std::filesystem::last_write_time(*file, missing);
    files.push_back({*file, missing ? std::filesystem::file_time_type::min() : changed});
  }
  return files;
}

void TlsContext::read() {
  MutexLock lock(mutex_);
  const TlsConfig config = config_;
  const std::uint64_t number = configured_;
  lock.unlock();
  std::vector<Watched> watched = look_at_files(config);
  TlsKeys keys = TlsKeys::read(config);
  lock.lock();
  if (number != configured_) return;  // another reading follows
  const std::vector<KeyFile> former = std::exchange(files_, keys.files);
  watched_ = std::move(watched);
  const std::vector<KeyFile> files = keys.files;
  // Files are replaced one after the other: until they fit together again the old keys serve.
  if (keys.good || keys_.context == nullptr) keys_ = std::move(keys);
  lock.unlock();
  tell(former, files);
}

void TlsContext::read_if_changed() {
  MutexLock lock(mutex_);
  const TlsConfig config = config_;
  const std::vector<Watched> before = watched_;
  lock.unlock();
  const bool changed = look_at_files(config) != before;
  if (changed) read();
  lock.lock();
  looking_ = false;
}

void TlsContext::look() {
  {
    const MutexLock lock(mutex_);
    const std::int64_t now_ms = IoShard::now_ms();
    if (looking_ || configured_ == 0 || now_ms - looked_ms_ < kLookEveryMs) return;
    looking_ = true;
    looked_ms_ = now_ms;
  }
  disk_.run([this] { read_if_changed(); });
}

std::unique_ptr<Stream> TlsContext::make_stream(IoShard& shard, UniqueFd fd, FdListener& listener,
                                                Side side, std::string name) {
  look();
  MutexLock lock(mutex_);
  const TlsKeys keys = keys_.context != nullptr ? keys_ : TlsKeys::none();
  const std::string server_name = config_.server_name;
  lock.unlock();
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
  if (side == Side::kClient && !server_name.empty()) stream->ask_for(server_name);
  return stream;
}

std::shared_ptr<SSL_CTX> TlsContext::server_keys() {
  look();
  const MutexLock lock(mutex_);
  return keys_.context != nullptr ? keys_.context : TlsKeys::none().context;
}

std::string TlsContext::save_root(const std::string& pem) {
  const auto reason = std::make_shared<std::string>();
  if (disk_.run([this, pem, reason] { *reason = write_root(pem); })) return *reason;
  return "the disk does not answer";
}

std::string TlsContext::write_root(const std::string& pem) {
  const std::string path = config().ca_cert;
  const UniqueFd file(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
  if (!file) return error_text(errno);
  if (write(file.get(), pem.data(), pem.size()) != static_cast<ssize_t>(pem.size())) {
    const int error = errno;
    unlink(path.c_str());
    return error_text(error);
  }
  read();
  return {};
}

}  // namespace tandem::net
