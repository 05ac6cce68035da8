#include "server/net/tls_stream.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "protocol/target.h"
#include "server/logging/event_count.h"
#include "server/logging/log.h"
#include "server/logging/rate_limit.h"
#include "server/net/socket_address.h"

namespace tandem::net {

namespace {

log::Module stream_ssl("stream_ssl");
EventCount failures("ssl_failed");

using Status = IoResult::Status;

constexpr std::size_t kRecordBytes = 16384;

/// A front part of `buffers` as one piece, at most a record long; in `copy` unless the first buffer
/// is long enough or the only one.
iovec front_of(std::span<const iovec> buffers, std::array<char, kRecordBytes>& copy) {
  if (buffers.size() == 1 || buffers.front().iov_len >= kRecordBytes) return buffers.front();
  std::size_t filled = 0;
  for (const iovec& buffer : buffers) {
    const std::size_t part = std::min(buffer.iov_len, kRecordBytes - filled);
    std::memcpy(copy.data() + filled, buffer.iov_base, part);
    filled += part;
    if (filled == kRecordBytes) break;
  }
  return {copy.data(), filled};
}

std::string to_pem(X509* certificate) {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(memory);
  return pem;
}

/// The host of a target such as "ssl:example.org:6641"; empty for addresses, which are no names to
/// indicate (RFC 6066 section 3).
std::string host_of(const std::string& target) {
  const Result<Target> parsed = Target::parse(target);
  if (!parsed) return {};
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string& host = parsed->host;
  const bool is_address = ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                          host.find(':') != std::string::npos;
  return is_address ? std::string() : host;
}

}  // namespace

TlsStream::TlsStream(IoShard& shard, UniqueFd fd, FdListener& listener, ssl_ctx_st* keys,
                     TlsContext* bootstrap, TlsContext::Side side, std::string name)
    : watcher_(shard, std::move(fd), *this),
      listener_(listener),
      bootstrap_(bootstrap),
      side_(side),
      name_(std::move(name)),
      ssl_(SSL_new(keys)) {
  SSL_set_fd(ssl_, watcher_.fd());
  switch (side_) {
    case TlsContext::Side::kServer:
      SSL_set_accept_state(ssl_);
      break;
    case TlsContext::Side::kClient:
      if (const std::string host = host_of(name_); !host.empty()) ask_for(host);
      if (bootstrap_ != nullptr)  // whoever is there is believed, and its authority kept
        SSL_set_verify(ssl_, SSL_get_verify_mode(ssl_), [](int, X509_STORE_CTX*) { return 1; });
      SSL_set_connect_state(ssl_);
      break;
  }
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

void TlsStream::ask_for(const std::string& server_name) {
  SSL_set_tlsext_host_name(ssl_, server_name.c_str());
}

void TlsStream::warn(const std::string& text) const {
  static log::RateLimit limit(60, 30);
  if (limit.admit(stream_ssl, log::Level::kWarn)) stream_ssl.warn("{}: {}", name_, text);
}

IoResult TlsStream::failure(int answer, const char* action) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_, answer)) {
    case SSL_ERROR_WANT_READ:
      return {Status::kWouldBlock, 0, {}};
    case SSL_ERROR_WANT_WRITE:
      read_wants_write_ = true;
      return {Status::kWouldBlock, 0, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::kEnd, 0, {}};
    case SSL_ERROR_SYSCALL:
      open_ = false;
      if (system_error == 0) return {Status::kEnd, 0, {}};
      stream_ssl.dbg("{}: {}: {}", name_, action, error_text(system_error));
      return {Status::kFailed, 0, error_text(system_error)};
    default:
      break;
  }
  open_ = false;
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  failures.add();
  warn(fmt::format("{}: {}", action, reason == nullptr ? "unknown error" : reason));
  ERR_clear_error();
  return {Status::kFailed, 0, "Protocol error"};
}

IoResult TlsStream::handshake() {
  ERR_clear_error();
  char first = 0;  // nothing of it is left when OpenSSL has refused it
  if (side_ == TlsContext::Side::kServer) ::recv(watcher_.fd(), &first, 1, MSG_PEEK);
  errno = 0;
  const int answer = SSL_do_handshake(ssl_);
  if (answer == 1) return handshake_done();
  IoResult result =
      failure(answer, side_ == TlsContext::Side::kServer ? "SSL_accept" : "SSL_connect");
  if (result.status == Status::kFailed && first == '{')
    warn("received JSON-RPC data on SSL channel");
  return result;
}

IoResult TlsStream::handshake_done() {
  open_ = true;
  if (side_ == TlsContext::Side::kServer) {
    if (const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name)) {
      stream_ssl.dbg("connection indicated server name {}", name);
    }
  }
  return bootstrap_ != nullptr ? save_root() : IoResult{};
}

IoResult TlsStream::save_root() {
  // As the manual says: the certificate is saved, this connection is dropped, and the next one is
  // verified.
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_);
  X509* root = chain != nullptr && sk_X509_num(chain) > 0
                   ? sk_X509_value(chain, sk_X509_num(chain) - 1)
                   : SSL_get0_peer_certificate(ssl_);
  std::string reason;
  if (root == nullptr) {
    reason = "peer sent no certificate";
  } else if (X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(root)) != 0) {
    reason = "peer did not send its CA's certificate";
  } else {
    reason = bootstrap_->save_root(to_pem(root));
  }
  if (reason.empty()) {
    stream_ssl.info("{}: CA certificate obtained from peer, reconnecting", name_);
  } else {
    stream_ssl.warn("{}: failed to bootstrap CA certificate: {}", name_, reason);
  }
  shut_down();
  return {Status::kFailed, 0, "Protocol error"};
}

IoResult TlsStream::read(std::span<char> buffer) {
  if (deferred_.status != Status::kDone) return std::exchange(deferred_, {});
  std::size_t total = 0;
  // What OpenSSL has read ahead must be taken now: the socket would not wake us for it.
  do {
    ERR_clear_error();
    errno = 0;
    std::size_t part = 0;
    const int answer = SSL_read_ex(ssl_, buffer.data() + total, buffer.size() - total, &part);
    total += part;
    if (answer == 1) continue;
    IoResult result = failure(answer, "SSL_read");
    if (total == 0) return result;
    if (result.status != Status::kWouldBlock) deferred_ = std::move(result);
    break;
  } while (total < buffer.size() && SSL_has_pending(ssl_) == 1);
  return {Status::kDone, total, {}};
}

IoResult TlsStream::write(std::span<const iovec> buffers) {
  static thread_local std::array<char, kRecordBytes> copy;
  const iovec front = front_of(buffers, copy);
  ERR_clear_error();
  errno = 0;
  std::size_t written = 0;
  const int answer = SSL_write_ex(ssl_, front.iov_base, front.iov_len, &written);
  if (answer == 1) return {Status::kDone, written, {}};
  const bool read_wanted_write = read_wants_write_;
  IoResult result = failure(answer, "SSL_write");
  read_wants_write_ = read_wanted_write;
  return result;
}

void TlsStream::wait_readable() {
  if (deferred_.status != Status::kDone) read_wants_write_ = true;
  if (read_wants_write_) {
    watcher_.wait_writable();
  } else {
    watcher_.wait_readable();
  }
}

void TlsStream::wait_writable() {
  writer_waits_ = true;
  watcher_.wait_writable();
}

void TlsStream::on_readable() { listener_.on_readable(); }

void TlsStream::on_writable() {
  // The listener may destroy this stream in either call, so only one of them is made: a reader
  // waiting beside a writer gets its turn with the next event.
  if (std::exchange(read_wants_write_, false)) {
    if (writer_waits_) watcher_.wait_writable();
    listener_.on_readable();
    return;
  }
  if (std::exchange(writer_waits_, false)) listener_.on_writable();
}

void TlsStream::shut_down() {
  if (!std::exchange(open_, false)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

std::string TlsStream::peer_id() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

}  // namespace tandem::net
