#include "ocf/agent/ports/port_probe.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "server/posix/unique_fd.h"

namespace tandem::agent {

std::string port_problem(const std::string& address, const std::string& port) {
  const bool in_brackets = address.starts_with('[') && address.ends_with(']');
  const std::string host = in_brackets ? address.substr(1, address.size() - 2) : address;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return "";
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> target(found, ::freeaddrinfo);
  const UniqueFd fd(::socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return "";
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  // ip(7): of an address that another node has until the cluster moves it here.
  const bool is_v6 = target->ai_family == AF_INET6;
  ::setsockopt(fd.get(), is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_FREEBIND : IP_FREEBIND,
               &yes, sizeof yes);
  if (::bind(fd.get(), target->ai_addr, target->ai_addrlen) == 0 || errno != EADDRINUSE) return "";
  return fmt::format("another program listens at port {} of {}", port, address);
}

}  // namespace tandem::agent
