#include "server/ctl/stream.h"

#include <fmt/core.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "server/posix/unix_socket.h"

namespace tandem::ctl {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

}  // namespace

int Stream::connect_file(const std::string& path) {
  fd_ = make_socket(AF_UNIX);
  if (!fd_) return errno;
  for (;;) {
    const int error = connect_unix(fd_.get(), path);
    // The backlog of a server that hangs is full, and a unix socket tells nobody when it no longer
    // is: try again.
    if (error != EAGAIN) return error;
    if (Clock::now() >= deadline_) return ETIMEDOUT;
    ::poll(nullptr, 0, 20);
  }
}

Result<void> Stream::connect_host(const std::string& host, const std::string& port) {
  const auto failed = [&](const char* reason) {
    return Error{fmt::format("cannot connect to {}:{} ({})", host, port, reason), "", std::nullopt};
  };
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found); code != 0)
    return failed(::gai_strerror(code));
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  int error = ENOENT;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    fd_ = make_socket(address->ai_family);
    error = fd_ ? 0 : errno;
    if (fd_ && ::connect(fd_.get(), address->ai_addr, address->ai_addrlen) != 0)
      error = errno == EINPROGRESS ? finish_connecting() : errno;
    if (error == 0) return {};
  }
  return failed(std::strerror(error));
}

int Stream::finish_connecting() {
  if (const int error = wait_for(POLLOUT); error != 0) return error;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int Stream::wait_for(short events) const {
  pollfd entry{fd_.get(), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    const int ready =
        ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int Stream::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return errno;
    } else if (const int error = wait_for(POLLOUT); error != 0) {
      return error;
    }
  }
  return 0;
}

int Stream::receive(std::string& bytes) {
  for (;;) {
    if (const int error = wait_for(POLLIN); error != 0) return error;
    std::array<char, 65536> buffer{};
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      bytes.assign(buffer.data(), static_cast<std::size_t>(size));
      return 0;
    }
    if (errno != EAGAIN && errno != EINTR) return errno;
  }
}

std::optional<pid_t> Stream::listening_process() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
    return std::nullopt;
  return peer.pid;
}

}  // namespace tandem::ctl
