#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "server/posix/unix_socket.h"

namespace tandem::net {

/// An IPv4 or IPv6 address with a port.
class SocketAddress {
 public:
  SocketAddress() = default;
  SocketAddress(const sockaddr* address, socklen_t size);

  /// Reads a numeric address, IPv6 with or without a %scope; an empty host is every IPv4 address.
  static std::optional<SocketAddress> numeric(const std::string& host, std::uint16_t port);
  /// The first address of a name, from the system's resolver. Blocks, seconds at worst: not for I/O
  /// threads.
  static std::optional<SocketAddress> look_up(const std::string& host, std::uint16_t port);
  static std::optional<SocketAddress> local_of(int fd);
  static std::optional<SocketAddress> peer_of(int fd);

  int family() const { return storage_.ss_family; }
  bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }
  std::uint16_t port() const;
  /// "127.0.0.1:6640", "[::1]:6640".
  std::string to_string() const;

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// Gives a TCP connection no delay, and the DSCP (0 to 63) in its IP headers if one is given.
void tune_tcp_socket(int fd, int family, std::optional<int> dscp);

/// The kernel asks a TCP peer whether its host is there, after a silence of the interval and three
/// times more, and gives the connection up if none answers, or takes, anything for so long. 0: not.
/// Sockets that are not TCP stay as they are.
void keep_tcp_alive(int fd, std::int64_t interval_ms);

/// Binds a socket that is to listen, with mode 0770 less the umask. A socket that somebody has left
/// behind at the path is replaced, but EADDRINUSE where somebody answers.
int bind_unix_listener(int fd, const std::string& path);

/// strerror(), thread-safe.
std::string error_text(int error);

}  // namespace tandem::net
