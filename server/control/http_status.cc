#include "server/control/http_status.h"

#include <fmt/core.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "server/control/client_room.h"
#include "server/control/metrics.h"
#include "server/control/trouble.h"
#include "server/logging/log.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::size_t kMaxClients = 64;
constexpr std::size_t kMaxHeaderBytes = 8192;
constexpr std::size_t kMaxBufferBytes = 16384;
constexpr std::uint64_t kMaxBodyBytes = 4096;
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{100};
constexpr std::chrono::seconds kListenAgain{1};

log::Module logger("ovsdb_server");

/// One client; answers its requests one by one. Lives while something is under way on its socket.
class HttpConnection : public RoomClient, public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(tcp::socket socket, ClientRoom& room, const HttpStatus::AskStatus& ask_status)
      : stream_(std::move(socket)), room_(room), ask_status_(ask_status) {}

  void start() {
    room_.waits(*this);
    read();
  }

  void close() override {
    if (is_linked()) unlink();
    open_ = false;
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  void read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(kMaxBodyBytes);
    stream_.expires_after(kPatience);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](const beast::error_code& error, std::size_t) {
          if (error || !self->open_) return self->close();
          self->request_ = self->parser_->release();
          self->room_.works(*self);
          self->ask_status_([self](const ServerStatus& status) { self->answer(status); });
        });
  }

  void answer(const ServerStatus& status) {
    if (!open_) return;
    room_.waits(*this);
    const http::request<http::string_body>& request = request_;
    const std::string_view target(request.target().data(), request.target().size());
    HttpPage page{405, "text/plain", "only GET and HEAD\n"};
    if (request.method() == http::verb::get || request.method() == http::verb::head) {
      page = make_page(target.substr(0, target.find('?')), status);
    }
    response_ = {};
    response_.version(request.version());
    response_.result(page.status);
    response_.set(http::field::content_type,
                  beast::string_view(page.content_type.data(), page.content_type.size()));
    response_.set(http::field::cache_control, "no-store");
    response_.keep_alive(request.keep_alive());
    response_.body() = std::move(page.body);
    response_.prepare_payload();
    if (request.method() == http::verb::head) response_.body().clear();
    stream_.expires_after(kPatience);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                        if (error || !self->open_ || !self->response_.keep_alive())
                          return self->close();
                        self->read();
                      });
  }

  beast::tcp_stream stream_;
  ClientRoom& room_;
  const HttpStatus::AskStatus& ask_status_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_{kMaxBufferBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool open_ = true;
};

/// A line for each trouble. What stops nobody from writing makes no probe fail: a server that is
/// replaced because of its certificate has the same one afterwards.
HttpPage health_page(const ServerStatus& status) {
  std::string faults;
  std::string warnings;
  for (const Trouble& trouble : troubles_of(status)) {
    const std::string line = printable(trouble.to_string()) + "\n";
    if (trouble.stops_writing()) {
      faults += line;
    } else {
      warnings += "warning: " + line;
    }
  }
  return faults.empty() ? HttpPage{200, "text/plain", "healthy\n" + warnings}
                        : HttpPage{503, "text/plain", faults + warnings};
}

/// A line for each database whose commits are not answered. This server is the best there is for
/// them all the same: a backup that takes over would have to wait for others in its turn.
std::string held_commits(const ServerStatus& status) {
  std::string warnings;
  for (const Trouble& trouble : troubles_of(status)) {
    if (trouble.holds_commits()) warnings += "warning: " + printable(trouble.to_string()) + "\n";
  }
  return warnings;
}

}  // namespace

HttpPage make_page(std::string_view path, const ServerStatus& status) {
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8",
            to_metrics(status, read_process_figures())};
  }
  if (path == "/status") return {200, "application/json", to_text(to_json(status)) + "\n"};
  if (path == "/active") {
    if (status.writable()) return {200, "text/plain", "active\n" + held_commits(status)};
    if (!status.is_active()) {
      const std::string damage = printable(status.damage());
      return {503, "text/plain", damage.empty() ? "backup\n" : "backup, as " + damage + "\n"};
    }
    if (status.lease_expired()) return {503, "text/plain", "active, but the lease has run out\n"};
    return {503, "text/plain", fmt::format("active, but {}\n", printable(status.disk_fault()))};
  }
  if (path == "/healthz") return health_page(status);
  return {404, "text/plain", "/active, /healthz, /metrics or /status\n"};
}

/// The listening socket; what is pending on it keeps it as well.
struct HttpStatus::Listener : std::enable_shared_from_this<Listener> {
  Listener(const asio::any_io_executor& executor, const tcp::endpoint& where, AskStatus ask)
      : acceptor(executor), timer(executor), endpoint(where), ask_status(std::move(ask)) {}

  tcp::acceptor acceptor;
  asio::steady_timer timer;
  const tcp::endpoint endpoint;
  AskStatus ask_status;
  ClientRoom room{kMaxClients};
  std::string logged_problem;  ///< so that it is logged once
  bool closed = false;

  /// Listens, or tries again until it does: a database is worth serving without its status pages.
  void listen() {
    if (closed) return;
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return listen_later(error.message());
    if (!logged_problem.empty()) logger.info("--http={}: listening", name());
    accept();
  }

  void listen_later(const std::string& problem) {
    if (problem != logged_problem) logger.warn("--http={}: listen failed: {}", name(), problem);
    logged_problem = problem;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.expires_after(kListenAgain);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->listen();
    });
  }

  std::string name() const { return (std::ostringstream() << endpoint).str(); }

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
    if (room.make_room())
      std::make_shared<HttpConnection>(std::move(socket), room, ask_status)->start();
  }

  void close() {
    closed = true;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
    room.clear();
  }
};

Result<HttpStatus::Endpoint> HttpStatus::parse_address(const std::string& text) {
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
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (error) return malformed;
  return Endpoint(address, port);
}

HttpStatus::HttpStatus(const asio::any_io_executor& executor, const Endpoint& endpoint,
                       AskStatus ask_status)
    : listener_(std::make_shared<Listener>(executor, endpoint, std::move(ask_status))) {
  listener_->listen();
}

HttpStatus::~HttpStatus() { listener_->close(); }

std::uint16_t HttpStatus::port() const {
  boost::system::error_code ignored;
  return listener_->acceptor.local_endpoint(ignored).port();
}

}  // namespace tandem::control
