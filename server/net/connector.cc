#include "server/net/connector.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/logging/event_count.h"
#include "server/net/socket_address.h"

namespace tandem::net {

namespace {
constexpr std::int64_t kLookAgainMs = 100;
constexpr std::size_t kSocketsAtOnce = 8;
EventCount attempts("stream_open");
}  // namespace

Connector::Connector(IoShard& shard, Target target, std::optional<int> dscp, std::int64_t resend_ms,
                     OnDone on_done)
    : shard_(shard),
      target_(std::move(target)),
      dscp_(dscp),
      resend_ms_(resend_ms),
      on_done_(std::move(on_done)) {}

void Connector::start(std::int64_t timeout_ms) {
  attempts.add();
  start_ms_ = IoShard::now_ms();
  deadline_ms_ = start_ms_ + timeout_ms;
  shard_.set_timer(*this, deadline_ms_);
  go_on();
}

void Connector::go_on() {
  switch (target_.kind) {
    case Target::Kind::kTcp:
    case Target::Kind::kSsl:
      break;
    case Target::Kind::kUnix:
      return connect_unix_file();
    case Target::Kind::kPtcp:
    case Target::Kind::kPssl:
    case Target::Kind::kPunix:
    case Target::Kind::kPfd:
      return done({}, error_text(EAFNOSUPPORT));
  }
  if (!lookup_) lookup_.emplace(target_.host, target_.port);
  switch (lookup_->state()) {
    case NameLookup::State::kPending:
      shard_.set_timer(*this, std::min(deadline_ms_, IoShard::now_ms() + kLookAgainMs));
      break;
    case NameLookup::State::kUnknown:
      done({}, "host not found");
      break;
    case NameLookup::State::kFound:
      set_timer();
      connect_ip(lookup_->address());
      break;
  }
}

void Connector::connect_ip(const SocketAddress& address) {
  UniqueFd fd = make_socket(address.family());
  if (!fd) return done({}, error_text(errno));
  tune_tcp_socket(fd.get(), address.family(), dscp_);
  if (connect(fd.get(), address.data(), address.size()) == 0) return done(std::move(fd), {});
  if (errno != EINPROGRESS) return done({}, error_text(errno));
  wait_for(std::move(fd));
}

void Connector::connect_unix_file() {
  UniqueFd fd = make_socket(AF_UNIX);
  if (!fd) return done({}, error_text(errno));
  // A unix socket connects at once or not at all; EAGAIN says that the other side's backlog is
  // full.
  const int error = connect_unix(fd.get(), target_.path);
  if (error != 0) return done({}, error_text(error));
  done(std::move(fd), {});
}

void Connector::wait_for(UniqueFd fd) {
  FdListener& self = *this;
  if (watchers_.size() == kSocketsAtOnce) watchers_.pop_front();
  watchers_.push_back(std::make_unique<FdWatcher>(shard_, std::move(fd), self));
  watchers_.back()->wait_writable();
}

/// Until the next socket is due or the time is over.
void Connector::set_timer() {
  const std::int64_t now_ms = IoShard::now_ms();
  const std::int64_t next_ms = now_ms + std::max(resend_ms_, (now_ms - start_ms_) / 10);
  shard_.set_timer(*this, resend_ms_ > 0 ? std::min(deadline_ms_, next_ms) : deadline_ms_);
}

void Connector::on_writable() {
  // Whichever of them it is.
  for (std::unique_ptr<FdWatcher>& watcher : watchers_) {
    pollfd ready{watcher->fd(), POLLOUT, 0};
    if (poll(&ready, 1, 0) <= 0) continue;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(watcher->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return done({}, error_text(error));
    return done(watcher->release(), {});
  }
}

void Connector::on_timer(std::int64_t now_ms) {
  if (now_ms >= deadline_ms_) {
    done({}, "connection attempt timed out");
  } else {
    go_on();
  }
}

void Connector::done(UniqueFd fd, const std::string& error) {
  cancel_timer();
  watchers_.clear();
  const OnDone on_done = std::move(on_done_);
  on_done(std::move(fd), error);
}

}  // namespace tandem::net
