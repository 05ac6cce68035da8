#include "server/http/http_server.h"

#include <fmt/core.h>
#include <openssl/ssl.h>

#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <sstream>

#include "server/control/client_room.h"
#include "server/http/http_connection.h"
#include "server/logging/log.h"
#include "server/logging/printable.h"

namespace tandem::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kMaxClients = 64;
constexpr std::chrono::milliseconds kPause{100};
constexpr std::chrono::seconds kListenAgain{1};

log::Module logger("ovsdb_server");

}  // namespace

/// The listening socket; what is pending on it keeps it as well.
struct HttpServer::Listener : std::enable_shared_from_this<Listener> {
  Listener(const asio::any_io_executor& executor, const Endpoint& where, net::TlsContext* keys,
           Answer to_answer)
      : acceptor(executor),
        timer(executor),
        endpoint(where),
        tls(keys),
        answer(std::move(to_answer)) {}

  tcp::acceptor acceptor;
  asio::steady_timer timer;
  const Endpoint endpoint;
  net::TlsContext* const tls;
  Answer answer;
  control::ClientRoom room{kMaxClients};
  std::string logged_problem;  ///< so that it is logged once
  bool closed = false;

  /// Listens, or tries again until it does: a database is worth serving without its status pages.
  void listen() {
    if (closed) return;
    boost::system::error_code error;
    Endpoint where = endpoint;
    acceptor.open(where.protocol(), error);
    // A kernel without IPv6 has all addresses, too.
    if (error == asio::error::address_family_not_supported && where.address().is_unspecified()) {
      where = Endpoint(tcp::v4(), where.port());
      acceptor.open(where.protocol(), error);
    }
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(where, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return listen_later(error.message());
    if (!logged_problem.empty()) logger.info("{}: listening", name());
    accept();
  }

  void listen_later(const std::string& problem) {
    if (problem != logged_problem) logger.warn("{}: listen failed: {}", name(), problem);
    logged_problem = problem;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.expires_after(kListenAgain);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->listen();
    });
  }

  std::string name() const {
    return fmt::format("--{}={}", tls != nullptr ? "https" : "http",
                       (std::ostringstream() << endpoint).str());
  }

  void accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
          if (!self->acceptor.is_open()) return;
          if (error) return self->pause();
          self->take(std::move(socket));
          self->accept();
        });
  }

  /// Out of descriptors, most likely: to try again at once would spin.
  void pause() {
    timer.expires_after(kPause);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->acceptor.is_open()) self->accept();
    });
  }

  void take(tcp::socket socket) {
    if (!room.make_room()) return;
    if (tls == nullptr) {
      std::make_shared<HttpConnection<PlainStream>>(room, answer, std::move(socket))->start();
      return;
    }
    SSL* const keys = SSL_new(tls->server_keys().get());
    if (keys == nullptr) return;
    SSL_set_verify(keys, SSL_VERIFY_NONE, nullptr);
    std::make_shared<HttpConnection<SecureStream>>(room, answer, std::move(socket), keys)->start();
  }

  void close() {
    closed = true;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
    room.clear();
  }
};

Result<Endpoint> parse_address(const std::string& text) {
  const Error malformed{fmt::format("\"{}\" is not of the form ADDRESS:PORT", printable(text)), "",
                        std::nullopt};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return malformed;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + colon + 1, end, port);
  if (problem != std::errc() || stop != end) return malformed;
  if (host.empty()) return Endpoint(tcp::v6(), port);
  if (host == "localhost") return Endpoint(asio::ip::address_v4::loopback(), port);
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (error) return malformed;
  return Endpoint(address, port);
}

std::string address_text(const Endpoint& endpoint, bool tls) {
  return fmt::format("{}://{}", tls ? "https" : "http", (std::ostringstream() << endpoint).str());
}

HttpServer::HttpServer(const asio::any_io_executor& executor, const Endpoint& endpoint,
                       net::TlsContext* tls, Answer answer)
    : listener_(std::make_shared<Listener>(executor, endpoint, tls, std::move(answer))) {
  listener_->listen();
}

HttpServer::~HttpServer() { listener_->close(); }

std::uint16_t HttpServer::port() const {
  boost::system::error_code ignored;
  return listener_->acceptor.local_endpoint(ignored).port();
}

}  // namespace tandem::http
