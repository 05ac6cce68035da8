#include "server/net/socket_address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace tandem::net {

namespace {

std::optional<SocketAddress> ask_resolver(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  SocketAddress address(found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return address;
}

std::optional<SocketAddress> name_of(int fd, int (*get)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (get(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
  return SocketAddress(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size) : size_(size) {
  std::memcpy(&storage_, address, std::min<std::size_t>(size, sizeof storage_));
}

std::optional<SocketAddress> SocketAddress::numeric(const std::string& host, std::uint16_t port) {
  return ask_resolver(host.empty() ? "0.0.0.0" : host, port, AI_NUMERICHOST);
}

std::optional<SocketAddress> SocketAddress::look_up(const std::string& host, std::uint16_t port) {
  return ask_resolver(host, port, AI_ADDRCONFIG);
}

std::optional<SocketAddress> SocketAddress::local_of(int fd) { return name_of(fd, getsockname); }

std::optional<SocketAddress> SocketAddress::peer_of(int fd) { return name_of(fd, getpeername); }

std::uint16_t SocketAddress::port() const {
  switch (family()) {
    case AF_INET:
      return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
    case AF_INET6:
      return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
    default:
      return 0;
  }
}

std::string SocketAddress::to_string() const {
  char host[NI_MAXHOST] = "";
  if (!is_ip() || getnameinfo(data(), size_, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  return family() == AF_INET6 ? fmt::format("[{}]:{}", host, port())
                              : fmt::format("{}:{}", host, port());
}

void tune_tcp_socket(int fd, int family, std::optional<int> dscp) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!dscp) return;
  const int traffic_class = *dscp << 2;
  if (family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
  } else {
    setsockopt(fd, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
  }
}

void keep_tcp_alive(int fd, std::int64_t interval_ms) {
  constexpr std::int64_t kLongestS = 32767;
  constexpr int kQuestions = 3;
  const int seconds =
      static_cast<int>((std::clamp<std::int64_t>(interval_ms, 0, kLongestS * 1000) + 999) / 1000);
  const int on = seconds > 0 ? 1 : 0;
  const int give_up_ms = seconds * 1000 * (1 + kQuestions);
  // Also for what is not taken: without it a peer is asked for a quarter of an hour.
  if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up_ms, sizeof give_up_ms) != 0) return;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (on == 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kQuestions, sizeof kQuestions);
}

int bind_unix_listener(int fd, const std::string& path) {
  // The mode of the socket becomes that of the file, with nothing open to everyone in between.
  fchmod(fd, 0770);
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    const UniqueFd probe = make_socket(AF_UNIX);
    if (!probe) return errno;
    if (connect_unix(probe.get(), path) == ECONNREFUSED) ::unlink(path.c_str());
  }
  return bind_unix(fd, path);
}

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace tandem::net
