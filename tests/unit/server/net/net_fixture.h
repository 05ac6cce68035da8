#pragma once

#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "server/logging/vlog.h"
#include "server/net/io_shard.h"
#include "server/net/socket_address.h"
#include "server/session/connection_port.h"

/// Helpers for tests that talk over real sockets. One shard runs in the test's own thread, so
/// nothing is left to chance but the kernel.
namespace tandem::net::test {

/// Serves `shard` until `condition` holds. False after five seconds.
inline bool serve_until(IoShard& shard, const std::function<bool()>& condition) {
  const std::int64_t end_ms = IoShard::now_ms() + 5000;
  while (!condition()) {
    if (IoShard::now_ms() > end_ms) return false;
    shard.run_once(10);
  }
  return true;
}

inline void serve_for(IoShard& shard, std::int64_t time_ms) {
  const std::int64_t end_ms = IoShard::now_ms() + time_ms;
  while (IoShard::now_ms() < end_ms) shard.run_once(10);
}

/// What handlers saw; outlives them.
struct Seen {
  std::vector<JsonRpcMessage> messages;
  std::vector<std::string> closed;  ///< reasons
  int writable = 0;
  int made = 0;
  ConnectionPort* port = nullptr;  ///< of the newest; null when that is closed
  std::function<void(ConnectionPort&, const JsonRpcMessage&)> react;
};

class RecordingHandler final : public ConnectionHandler {
 public:
  RecordingHandler(Seen& seen, ConnectionPort& port) : seen_(seen), port_(port) {}
  void on_message(JsonRpcMessage message) override {
    seen_.messages.push_back(std::move(message));
    if (seen_.react) seen_.react(port_, seen_.messages.back());
  }
  void on_writable() override { ++seen_.writable; }
  void on_closed(const std::string& reason) override {
    seen_.closed.push_back(reason);
    if (seen_.port == &port_) seen_.port = nullptr;
  }

 private:
  Seen& seen_;
  ConnectionPort& port_;
};

inline HandlerFactory recorder(Seen& seen) {
  return [&seen](ConnectionPort& port) {
    ++seen.made;
    seen.port = &port;
    return std::make_unique<RecordingHandler>(seen, port);
  };
}

/// A folder that goes with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = "/tmp/tandem-net-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The process's log goes to a file of the test's for a while, as MODULE|LEVEL|MESSAGE lines.
class LogCapture {
 public:
  LogCapture() {
    log::apply_spec("PATTERN:file:%c|%p|%m");
    log::apply_spec("console:off");
    log::apply_spec("file:dbg");
    log::set_rate_limiting({}, false);
    log::open_file(folder_ / "log");
  }
  ~LogCapture() {
    log::apply_spec("file:off");
    log::close_file();
  }
  std::string text() const { return read_file(folder_ / "log"); }
  int count(const std::string& part) const {
    const std::string all = text();
    int found = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

 private:
  TempFolder folder_;
};

/// The far end of a connection: a non-blocking socket that the test reads and writes by hand.
class Peer {
 public:
  explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {}
  bool write(const std::string& text) {
    return ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  /// What has arrived; nothing is not an error.
  std::string read(std::size_t most = 1 << 20) {
    std::string text(most, '\0');
    const ssize_t size = recv(fd_.get(), text.data(), most, MSG_DONTWAIT);
    closed_ = size == 0 || (size < 0 && errno != EAGAIN);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }
  /// True once read() has met the end.
  bool closed() const { return closed_; }
  int fd() const { return fd_.get(); }
  void close() { fd_ = UniqueFd(); }

 private:
  UniqueFd fd_;
  bool closed_ = false;
};

/// Two ends of a stream socket.
inline std::pair<UniqueFd, UniqueFd> socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// A blocking connect to 127.0.0.1, which a listener's backlog answers; none if it is refused.
inline UniqueFd connect_tcp(std::uint16_t port, const char* host = "127.0.0.1") {
  const auto address = SocketAddress::numeric(host, port);
  UniqueFd fd(socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(fd.get(), address->data(), address->size()) != 0) return {};
  return fd;
}

/// A listening socket on a free port of 127.0.0.1.
inline UniqueFd listen_tcp(std::uint16_t port = 0) {
  const auto address = SocketAddress::numeric("127.0.0.1", port);
  UniqueFd fd = make_socket(AF_INET);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), address->data(), address->size()) != 0 || listen(fd.get(), 16) != 0) return {};
  return fd;
}

inline std::uint16_t port_of(const UniqueFd& fd) {
  return SocketAddress::local_of(fd.get())->port();
}

}  // namespace tandem::net::test
