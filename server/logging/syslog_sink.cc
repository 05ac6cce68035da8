#include "server/logging/syslog_sink.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cstring>

namespace tandem::log {

namespace {

/// RFC 3164: priority, local time, host and program.
constexpr std::string_view kFullPrefix = "<%B> %D{%h %e %T} %E %A: ";

class NullSink : public SyslogSink {
 public:
  std::string_view prefix() const override { return ""; }
  bool active() const override { return false; }
  void send(int, int, const std::string&, const std::string&) override {}
};

class LibcSink : public SyslogSink {
 public:
  LibcSink() { openlog("ovsdb-server", LOG_NDELAY, LOG_DAEMON); }
  std::string_view prefix() const override { return kFullPrefix; }
  /// The C library writes the prefix itself.
  void send(int facility, int severity, const std::string&, const std::string& line) override {
    syslog((facility << 3) | severity, "%s", line.c_str());
  }
};

/// A datagram socket, connected to the daemon. Lines that cannot be sent at once are lost.
class DatagramSink : public SyslogSink {
 public:
  DatagramSink(int fd, std::string_view prefix) : fd_(fd), prefix_(prefix) {}
  ~DatagramSink() override { ::close(fd_); }
  DatagramSink(const DatagramSink&) = delete;
  DatagramSink& operator=(const DatagramSink&) = delete;
  std::string_view prefix() const override { return prefix_; }
  void send(int, int, const std::string& prefix, const std::string& line) override {
    const std::string datagram = prefix + line;
    (void)::send(fd_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

 private:
  int fd_;
  std::string_view prefix_;
};

std::unique_ptr<SyslogSink> open_unix(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return nullptr;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  // A daemon that is not there now may not be needed: its lines are lost, as with the C library.
  (void)::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return std::make_unique<DatagramSink>(fd, "<%B>");
}

/// Numeric addresses only, IPv6 in brackets: nothing is looked up before the daemon is up.
std::unique_ptr<SyslogSink> open_udp(std::string_view address, std::string_view prefix) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return nullptr;
  std::string host(address.substr(0, colon));
  const std::string port(address.substr(colon + 1));
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return nullptr;
  const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) (void)::connect(fd, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return fd < 0 ? nullptr : std::make_unique<DatagramSink>(fd, prefix);
}

}  // namespace

std::unique_ptr<SyslogSink> make_syslog_sink(std::string_view method) {
  if (method == "null") return std::make_unique<NullSink>();
  if (method == "libc") return std::make_unique<LibcSink>();
  if (method.starts_with("unix:")) return open_unix(method.substr(5));
  if (method.starts_with("udp:")) return open_udp(method.substr(4), "<%B>");
  return nullptr;
}

std::unique_ptr<SyslogSink> make_syslog_target(std::string_view address) {
  return open_udp(address, kFullPrefix);
}

}  // namespace tandem::log
