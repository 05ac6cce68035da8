#include "server/logging/syslog_sink.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "server/posix/unix_socket.h"

namespace tandem::log {
namespace {

std::string path() { return "/tmp/tandem-syslog-test." + std::to_string(::getpid()); }

/// A syslog daemon that reads when it is told to.
struct Daemon {
  explicit Daemon(int type) : socket(::socket(AF_UNIX, type, 0)) {
    ::unlink(path().c_str());
    REQUIRE(bind_unix(socket.get(), path()) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(socket.get(), 1) == 0);
  }
  ~Daemon() { ::unlink(path().c_str()); }
  static std::string read(int fd) {
    std::array<char, 65536> bytes{};
    const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return {bytes.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
  }
  std::string read() const { return read(socket.get()); }

  UniqueFd socket;
};

struct Fixture {
  Sent send(const std::string& line) { return sink->send(0, 4, "<12>", line); }
  /// Sends until the daemon does not take a line; false if it takes all.
  bool send_until_lost() {
    for (int i = 0; i < 100'000; ++i) {
      if (const Sent sent = send(std::string(1000, 'x')); sent != Sent::kYes)
        return sent == Sent::kLost;
    }
    return false;
  }
  std::unique_ptr<SyslogSink> sink = make_syslog_sink("unix:" + path());
};

TEST_CASE_METHOD(Fixture, "a daemon that does not read loses lines, and nobody waits for it") {
  const Daemon daemon(SOCK_DGRAM);
  CHECK(send("one") == Sent::kYes);
  CHECK(daemon.read() == "<12>one");
  CHECK(send_until_lost());
  while (!daemon.read().empty()) {
  }
  CHECK(send("two") == Sent::kYes);
  CHECK(daemon.read() == "<12>two");
}

TEST_CASE_METHOD(Fixture, "a daemon that takes a stream gets whole lines") {
  const Daemon daemon(SOCK_STREAM);
  CHECK(send("one") == Sent::kYes);
  CHECK(send("two") == Sent::kYes);
  UniqueFd peer(::accept(daemon.socket.get(), nullptr, nullptr));
  CHECK(Daemon::read(peer.get()) == std::string("<12>one\0<12>two\0", 16));
  CHECK(send_until_lost());
  // The line that went in part ends with its connection; the next one begins another.
  std::string text;
  for (std::string part = "x"; !part.empty(); text += part) part = Daemon::read(peer.get());
  peer = {};
  CHECK(send("three") == Sent::kYes);
  peer = UniqueFd(::accept(daemon.socket.get(), nullptr, nullptr));
  CHECK(Daemon::read(peer.get()) == std::string("<12>three\0", 10));
}

TEST_CASE_METHOD(Fixture, "a daemon that was restarted is found again") {
  CHECK(send("zero") == Sent::kNobody);
  {
    const Daemon daemon(SOCK_DGRAM);
    CHECK(send("one") == Sent::kYes);
  }
  CHECK(send("two") == Sent::kLost);
  const Daemon daemon(SOCK_DGRAM);
  CHECK(send("three") == Sent::kYes);
  CHECK(daemon.read() == "<12>three");
}

}  // namespace
}  // namespace tandem::log
