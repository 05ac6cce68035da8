#include "server/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "server/logging/event_count.h"
#include "server/logging/log.h"
#include "server/net/socket_address.h"

namespace tandem::net {

namespace {

log::Module jsonrpc_server("ovsdb_jsonrpc_server");
log::Module socket_util("socket_util");
EventCount listeners_opened("pstream_open");
EventCount connections_accepted("pstream_accept");
EventCount accepts_failed("pstream_accept_failed");

constexpr std::int64_t kRetryMs = 1000;
constexpr std::int64_t kPauseMs = 100;
/// Descriptors that run out again within this time are the same trouble, and not logged anew.
constexpr std::int64_t kBurstMs = 10'000;
constexpr int kAcceptsPerTurn = 256;

std::atomic<unsigned> unix_peers{0};

}  // namespace

Listener::Listener(IoShard& shard, Target target, OnAccept on_accept, bool freebind)
    : shard_(shard),
      target_(std::move(target)),
      on_accept_(std::move(on_accept)),
      freebind_(freebind) {}

Listener::~Listener() {
  if (!file_) return;
  struct stat status {};
  if (lstat(target_.path.c_str(), &status) == 0 && status.st_dev == file_->device &&
      status.st_ino == file_->inode) {
    ::unlink(target_.path.c_str());
  }
}

void Listener::open() {
  if (is_listening() || failed_for_good_) return;
  switch (target_.kind) {
    case Target::Kind::kPtcp:
    case Target::Kind::kPssl:
      open_ip();
      break;
    case Target::Kind::kPunix:
      open_unix();
      break;
    case Target::Kind::kPfd:
      adopt_inherited();
      break;
    case Target::Kind::kTcp:
    case Target::Kind::kSsl:
    case Target::Kind::kUnix:
      failed_for_good_ = true;
      break;
  }
}

void Listener::open_ip() {
  if (!lookup_) lookup_.emplace(target_.host, target_.port);
  switch (lookup_->state()) {
    case NameLookup::State::kPending:
      shard_.set_timer(*this, IoShard::now_ms() + kPauseMs);
      return;
    case NameLookup::State::kUnknown:
      lookup_.reset();
      return retry_later("host not found");
    case NameLookup::State::kFound:
      break;
  }
  const SocketAddress address = lookup_->address();
  lookup_.reset();
  UniqueFd fd = make_socket(address.family());
  if (!fd) return retry_later(error_text(errno));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Should that fail, bind() does too, and is tried again when an address has appeared.
  if (freebind_ && address.family() == AF_INET)
    setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  if (freebind_ && address.family() == AF_INET6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
  if (bind(fd.get(), address.data(), address.size()) != 0) return retry_later(error_text(errno));
  listen_on(std::move(fd));
  if (target_.port == 0 && is_listening()) {
    // The text without its method: "0:127.0.0.1: listening on port 41995".
    const auto colon = target_.text.find(':');
    socket_util.info("{}: listening on port {}", target_.text.substr(colon + 1), bound_port_);
  }
}

void Listener::open_unix() {
  UniqueFd fd = make_socket(AF_UNIX);
  if (!fd) return retry_later(error_text(errno));
  if (const int error = bind_unix_listener(fd.get(), target_.path); error != 0)
    return retry_later(error_text(error));
  struct stat status {};
  if (lstat(target_.path.c_str(), &status) == 0) file_ = FileId{status.st_dev, status.st_ino};
  listen_on(std::move(fd));
}

void Listener::adopt_inherited() {
  failed_for_good_ = true;
  int flag = 0;
  socklen_t size = sizeof flag;
  if (getsockopt(target_.fd, SOL_SOCKET, SO_ACCEPTCONN, &flag, &size) != 0) {
    logged_problem_ = "not a socket";
    return jsonrpc_server.warn("{}: {}", target_.text, logged_problem_);
  }
  if (flag == 0) {
    logged_problem_ = "not a listening socket";
    return jsonrpc_server.warn("{}: {}", target_.text, logged_problem_);
  }
  UniqueFd fd(target_.fd);
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  listen_on(std::move(fd));
}

void Listener::listen_on(UniqueFd fd) {
  if (listen(fd.get(), SOMAXCONN) != 0) return retry_later(error_text(errno));
  const auto address = SocketAddress::local_of(fd.get());
  bound_port_ = address ? address->port() : std::uint16_t{0};
  FdListener& self = *this;
  watcher_ = std::make_unique<FdWatcher>(shard_, std::move(fd), self);
  watcher_->wait_readable();
  listeners_opened.add();
  if (!std::exchange(logged_problem_, {}).empty())
    jsonrpc_server.info("{}: listening", target_.text);
}

void Listener::retry_later(const std::string& problem) {
  if (problem != logged_problem_)
    jsonrpc_server.warn("{}: listen failed: {}", target_.text, problem);
  logged_problem_ = problem;
  shard_.set_timer(*this, IoShard::now_ms() + kRetryMs);
}

void Listener::on_timer(std::int64_t) {
  if (is_listening()) {
    on_readable();
  } else {
    open();
  }
}

void Listener::on_readable() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    UniqueFd fd(accept4(watcher_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        return pause_accepting(errno);
      continue;  // this one connection has failed already, says accept(2)
    }
    connections_accepted.add();
    std::string name = name_peer(fd.get());
    on_accept_(std::move(fd), std::move(name));
  }
  watcher_->wait_readable();
}

void Listener::pause_accepting(int error) {
  accepts_failed.add();
  // The socket stays readable, so waiting for that would spin.
  const std::int64_t now_ms = IoShard::now_ms();
  if (exhausted_ms_ == 0 || now_ms - exhausted_ms_ > kBurstMs) {
    jsonrpc_server.warn("{}: accept failed: {}", target_.text, error_text(error));
  }
  exhausted_ms_ = now_ms;
  shard_.set_timer(*this, now_ms + kPauseMs);
}

std::string Listener::name_peer(int fd) const {
  const auto address = SocketAddress::peer_of(fd);
  if (address && address->is_ip())
    return (target_.is_tls() ? "ssl:" : "tcp:") + address->to_string();
  return fmt::format("unix#{}", unix_peers++);
}

}  // namespace tandem::net
