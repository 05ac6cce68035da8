#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "server/control/client_room.h"
#include "server/http/http_server.h"

namespace tandem::http {

using PlainStream = boost::beast::tcp_stream;
using SecureStream = boost::asio::ssl::stream<boost::beast::tcp_stream>;

/// One client; answers its requests one by one. Lives while something is under way on its socket.
template <class Stream>
class HttpConnection : public control::RoomClient,
                       public std::enable_shared_from_this<HttpConnection<Stream>> {
 public:
  template <class... Arguments>
  HttpConnection(control::ClientRoom& room, const HttpServer::Answer& answer,
                 Arguments&&... of_stream)
      : stream_(std::forward<Arguments>(of_stream)...), room_(room), answer_(answer) {}

  void start() {
    room_.waits(*this);
    if constexpr (std::is_same_v<Stream, SecureStream>) {
      transport().expires_after(kPatience);
      stream_.async_handshake(boost::asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](const Code& error) {
                                if (error || !self->open_) return self->close();
                                self->read();
                              });
    } else {
      read();
    }
  }

  void close() override {
    if (is_linked()) unlink();
    open_ = false;
    Code ignored;
    transport().socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
    transport().close();
  }

 private:
  using Code = boost::beast::error_code;
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Verb = boost::beast::http::verb;
  using Field = boost::beast::http::field;

  static constexpr std::size_t kMaxHeaderBytes = 8192;
  static constexpr std::size_t kMaxBufferBytes = 16384;
  static constexpr std::uint64_t kMaxBodyBytes = 4096;
  static constexpr std::chrono::seconds kPatience{10};

  boost::beast::tcp_stream& transport() { return boost::beast::get_lowest_layer(stream_); }

  void read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(kMaxBodyBytes);
    transport().expires_after(kPatience);
    boost::beast::http::async_read(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](const Code& error, std::size_t) {
          if (error || !self->open_) return self->close();
          self->request_ = self->parser_->release();
          self->room_.works(*self);
          if (!self->is_allowed()) return self->send({405, "text/plain", "GET, HEAD or OPTIONS\n"});
          const auto target = self->request_.target();
          self->answer_(std::string(target.data(), target.size()),
                        [self](Page page) { self->send(std::move(page)); });
        });
  }

  bool is_allowed() const {
    const Verb verb = request_.method();
    return verb == Verb::get || verb == Verb::head || verb == Verb::options;
  }

  void send(Page page) {
    if (!open_) return;
    room_.waits(*this);
    response_ = {};
    response_.version(request_.version());
    response_.result(page.status);
    response_.set(Field::content_type, page.content_type);
    response_.set(Field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    // The page has styles of its own and nothing else.
    response_.set("Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    if (request_.method() == Verb::options || page.status == 405)
      response_.set(Field::allow, "GET, HEAD, OPTIONS");
    response_.keep_alive(request_.keep_alive());
    const bool with_body = request_.method() != Verb::options;
    if (with_body) response_.body() = std::move(page.body);
    response_.prepare_payload();
    if (request_.method() == Verb::head) response_.body().clear();
    transport().expires_after(kPatience);
    boost::beast::http::async_write(
        stream_, response_, [self = this->shared_from_this()](const Code& error, std::size_t) {
          if (error || !self->open_ || !self->response_.keep_alive()) return self->close();
          self->read();
        });
  }

  Stream stream_;
  control::ClientRoom& room_;
  const HttpServer::Answer& answer_;
  Request request_;
  boost::beast::flat_buffer buffer_{kMaxBufferBytes};
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
  bool open_ = true;
};

}  // namespace tandem::http
