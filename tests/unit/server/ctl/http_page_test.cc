#include "server/ctl/http_page.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "server/posix/unique_fd.h"

namespace tandem::ctl {
namespace {

/// Listens, gives the first client these bytes whatever it asks for, and closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), any, size) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    REQUIRE(::getsockname(listener_.get(), any, &size) == 0);
    port = std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this, answer = std::move(answer)] {
      const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
      std::array<char, 1024> buffer{};
      const ssize_t read = ::read(client.get(), buffer.data(), buffer.size());
      request.assign(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
      static_cast<void>(::write(client.get(), answer.data(), answer.size()) > 0);
    });
  }
  ~OneAnswer() { end(); }

  Result<std::string> get() {
    auto page = get_page({"127.0.0.1", port}, "/status", std::chrono::seconds(5));
    end();
    return page;
  }

  std::string port;
  std::string request;

 private:
  void end() {
    if (thread_.joinable()) thread_.join();
  }

  UniqueFd listener_;
  std::thread thread_;
};

TEST_CASE("an address over HTTP has a port, and is told from the name of a pidfile") {
  for (const char* text : {"h:80", "http://h:80", "http://h:80/"}) {
    const auto address = parse_http_address(text);
    REQUIRE(address);
    CHECK(address->host == "h");
    CHECK(address->port == "80");
  }
  CHECK(parse_http_address("[::1]:80")->host == "::1");
  for (const char* text :
       {"h", "h:", ":80", "h:0", "h:70000", "h:x", "::1:80", "/a/b:80", "./a:80"})
    CHECK(!parse_http_address(text));
}

TEST_CASE("a page is what stands behind the head") {
  OneAnswer server("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\n");
  CHECK(server.get().value() == "{\"a\":1}\n");
  CHECK(server.request == "GET /status HTTP/1.0\r\nHost: 127.0.0.1:" + server.port + "\r\n\r\n");
}

TEST_CASE("who has no such page is no server of ours") {
  OneAnswer server("HTTP/1.1 404 Not Found\r\n\r\nno");
  CHECK(server.get().error().to_string() ==
        "127.0.0.1:" + server.port + ": the answer is 404 Not Found: no Tandem server");
  OneAnswer other("SSH-2.0-OpenSSH_9.2p1\r\n");
  CHECK(other.get().error().to_string() == "127.0.0.1:" + other.port + ": the answer is not HTTP");
}

TEST_CASE("a host that refuses is an error at once") {
  const auto page = get_page({"127.0.0.1", "1"}, "/status", std::chrono::seconds(5));
  CHECK(page.error().to_string() == "cannot connect to 127.0.0.1:1 (Connection refused)");
}

}  // namespace
}  // namespace tandem::ctl
