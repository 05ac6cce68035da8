#include "server/logging/syslog_sink.h"

#include <fmt/core.h>
#include <netdb.h>
#include <paths.h>
#include <sys/socket.h>
#include <syslog.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "server/posix/unix_socket.h"

namespace tandem::log {

namespace {

/// RFC 3164: priority, local time, host and program.
constexpr std::string_view kFullPrefix = "<%B> %D{%h %e %T} %E %A: ";

class NullSink : public SyslogSink {
 public:
  std::string_view prefix() const override { return ""; }
  bool active() const override { return false; }
  Sent send(int, int, const std::string&, const std::string&) override { return Sent::kNobody; }
};

/// The unix socket of a daemon that takes datagrams or, as some do, a stream of lines that end with
/// a zero byte. A daemon that is not there, or was restarted, is looked for anew with each line.
class UnixSink : public SyslogSink {
 public:
  explicit UnixSink(std::string path) : path_(std::move(path)) {}
  std::string_view prefix() const override { return "<%B>"; }
  Sent send(int, int, const std::string& prefix, const std::string& line) override {
    return send_text(prefix + line);
  }

 protected:
  Sent send_text(const std::string& text) {
    if (socket_ && write(text)) return Sent::kYes;
    // One that goes on and is slow is not asked again.
    if (socket_ && (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)) return Sent::kLost;
    if (connect() && write(text)) return Sent::kYes;
    return known_ ? Sent::kLost : Sent::kNobody;
  }

 private:
  bool connect() {
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      socket_ = UniqueFd(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (!socket_) return false;
      type_ = type;
      const int error = connect_unix(socket_.get(), path_);
      known_ = known_ || error == 0 || error == EAGAIN;
      if (error == 0) return true;
      socket_ = {};
      if (error != EPROTOTYPE) return false;
    }
    return false;
  }

  /// False with errno.
  bool write(const std::string& text) {
    const std::size_t size = type_ == SOCK_STREAM ? text.size() + 1 : text.size();
    const ssize_t sent = ::send(socket_.get(), text.c_str(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(size)) return true;
    // The rest of a line that went in part would be taken for a line.
    if (sent >= 0) {
      socket_ = {};
      errno = EAGAIN;
    }
    return false;
  }

  const std::string path_;
  UniqueFd socket_;
  int type_ = SOCK_DGRAM;
  bool known_ = false;  ///< was there once
};

/// Sends the same as the C library's syslog(3), which may wait for the daemon.
class LibcSink : public UnixSink {
 public:
  LibcSink() : UnixSink(_PATH_LOG) {}
  std::string_view prefix() const override { return kFullPrefix; }
  Sent send(int facility, int severity, const std::string&, const std::string& line) override {
    const int number = facility != 0 ? facility << 3 : LOG_DAEMON;
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    std::array<char, 32> time{};
    std::strftime(time.data(), time.size(), "%h %e %T", &local);
    return send_text(fmt::format("<{}>{} ovsdb-server: {}", number | severity, time.data(), line));
  }
};

/// A connected UDP socket.
class UdpSink : public SyslogSink {
 public:
  UdpSink(UniqueFd socket, std::string_view prefix) : socket_(std::move(socket)), prefix_(prefix) {}
  std::string_view prefix() const override { return prefix_; }
  Sent send(int, int, const std::string& prefix, const std::string& line) override {
    const std::string datagram = prefix + line;
    if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      return Sent::kYes;
    return errno == ECONNREFUSED || errno == EDESTADDRREQ ? Sent::kNobody : Sent::kLost;
  }

 private:
  UniqueFd socket_;
  std::string_view prefix_;
};

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
  UniqueFd fd(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd) (void)::connect(fd.get(), found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  if (!fd) return nullptr;
  return std::make_unique<UdpSink>(std::move(fd), prefix);
}

}  // namespace

std::unique_ptr<SyslogSink> make_syslog_sink(std::string_view method) {
  if (method == "null") return std::make_unique<NullSink>();
  if (method == "libc") return std::make_unique<LibcSink>();
  if (method.starts_with("unix:") && method.size() > 5)
    return std::make_unique<UnixSink>(std::string(method.substr(5)));
  if (method.starts_with("udp:")) return open_udp(method.substr(4), "<%B>");
  return nullptr;
}

std::unique_ptr<SyslogSink> make_syslog_target(std::string_view address) {
  return open_udp(address, kFullPrefix);
}

}  // namespace tandem::log
