#include "server/http/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

namespace tandem::http {
namespace {

using boost::asio::ip::tcp;

/// The pages of an active server, and clients of them, on one io_context.
struct Fixture {
  boost::asio::io_context io{1};
  HttpServer server{io.get_executor(), parse_address("127.0.0.1:0").value(), nullptr,
                    [](const std::string&, const std::function<void(Page)>& use) { use({}); }};

  tcp::socket connect() {
    tcp::socket client(io);
    client.connect({boost::asio::ip::address_v4::loopback(), server.port()});
    client.non_blocking(true);
    serve();
    return client;
  }
  void serve() {
    io.restart();
    io.run_for(std::chrono::milliseconds(5));
  }
  /// The first line of the answer.
  std::string get(tcp::socket& client, const std::string& path) {
    const std::string answer = ask(client, "GET " + path);
    return answer.substr(0, answer.find('\r'));
  }
  std::string ask(tcp::socket& client, const std::string& request) {
    boost::asio::write(client, boost::asio::buffer(request + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    for (int i = 0; i < 100; ++i) {
      serve();
      std::string answer(10000, '\0');
      boost::system::error_code error;
      answer.resize(client.read_some(boost::asio::buffer(answer), error));
      if (error != boost::asio::error::would_block) return answer;
    }
    return "no answer";
  }
};

TEST_CASE_METHOD(Fixture, "clients that send half a request keep nobody out") {
  std::vector<tcp::socket> unfinished;
  for (int i = 0; i < 80; ++i) {
    unfinished.push_back(connect());
    boost::asio::write(unfinished.back(), boost::asio::buffer(std::string("GET /act")));
    serve();
  }
  tcp::socket client = connect();
  CHECK(get(client, "/active") == "HTTP/1.1 200 OK");
}

TEST_CASE_METHOD(Fixture,
                 "clients that ask now and then keep nobody out, nor lose their place first") {
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 64; ++i) idle.push_back(connect());
  CHECK(get(idle[0], "/active") == "HTTP/1.1 200 OK");
  tcp::socket client = connect();
  CHECK(get(client, "/active") == "HTTP/1.1 200 OK");
  CHECK(get(idle[0], "/active") == "HTTP/1.1 200 OK");
  CHECK(get(client, "/active") == "HTTP/1.1 200 OK");
}

TEST_CASE_METHOD(Fixture, "headers without end are not kept") {
  tcp::socket client = connect();
  boost::system::error_code error;
  const std::string header = "X: " + std::string(1000, 'x') + "\r\n";
  boost::asio::write(client, boost::asio::buffer(std::string("GET / HTTP/1.1\r\n")));
  for (int i = 0; i < 100 && !error; ++i) {
    boost::asio::write(client, boost::asio::buffer(header), error);
    serve();
  }
  CHECK(error);
}

TEST_CASE_METHOD(
    Fixture, "who asks by OPTIONS gets the status without the page, and who writes is refused") {
  tcp::socket client = connect();
  const std::string options = ask(client, "OPTIONS /active");
  CHECK_THAT(options, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(options, Catch::Contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
  CHECK_THAT(options, Catch::Contains("\r\nContent-Length: 0\r\n"));
  CHECK_THAT(ask(client, "DELETE /active"), Catch::StartsWith("HTTP/1.1 405 "));
}

TEST_CASE("an address is a number, localhost or nothing, and a port") {
  const auto text = [](const std::string& address) {
    const Result<Endpoint> read = parse_address(address);
    return read ? address_text(*read, false) : read.error().to_string();
  };
  CHECK(text("192.0.2.1:80") == "http://192.0.2.1:80");
  CHECK(text("[2001:db8::1]:80") == "http://[2001:db8::1]:80");
  CHECK(text("localhost:80") == "http://127.0.0.1:80");
  CHECK(text(":80") == "http://[::]:80");
  CHECK(text("example:80") == "\"example:80\" is not of the form ADDRESS:PORT");
}

}  // namespace
}  // namespace tandem::http
