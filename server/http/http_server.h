#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "server/net/tls_context.h"

namespace tandem::http {

/// What a request is answered with.
struct Page {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
};

using Endpoint = boost::asio::ip::tcp::endpoint;

/// Reads ADDRESS:PORT, [ADDRESS]:PORT, localhost:PORT, or :PORT for every address.
Result<Endpoint> parse_address(const std::string& text);
/// As "http://192.0.2.1:8080".
std::string address_text(const Endpoint& endpoint, bool tls);

/// A small HTTP/1.1 server for pages that are read (--http, --https): GET, HEAD, and OPTIONS, which
/// is answered as GET is, without the page. Everything runs on the executor, which must run one
/// thing at a time. Clients that are slow are dropped, and for a new one the oldest that is idle or
/// has sent half a request (`ClientRoom`). Destroying it closes all.
class HttpServer {
 public:
  /// Makes the page of a request's target (RFC 9112 section 3.2), and hands it over on the
  /// executor.
  using Answer = std::function<void(std::string target, std::function<void(Page)>)>;

  /// Listens at `endpoint`. One that is taken, or not there yet, is tried again until it can be
  /// listened at. With `tls` connections are TLS, with its keys; clients need no certificate.
  HttpServer(const boost::asio::any_io_executor& executor, const Endpoint& endpoint,
             net::TlsContext* tls, Answer answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// 0 while it does not listen.
  std::uint16_t port() const;

 private:
  struct Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace tandem::http
