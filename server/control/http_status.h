#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "server/control/server_status.h"

namespace tandem::control {

/// What a GET is answered with.
struct HttpPage {
  unsigned status = 200;
  std::string_view content_type;
  std::string body;
};

/// The page of a path: /status (JSON), /metrics (Prometheus), /active (for load balancers: 200
/// where writes are accepted, 503 elsewhere); 404 for others.
HttpPage make_page(std::string_view path, const ServerStatus& status);

/// A small HTTP/1.1 server for those pages (--http). Everything runs on the executor, which must
/// run one thing at a time. Clients that are slow are dropped, and for a new one the oldest that is
/// idle or has sent half a request (`ClientRoom`). Destroying it closes all.
class HttpStatus {
 public:
  /// Gets the status, and hands it over on the executor.
  using AskStatus = std::function<void(std::function<void(const ServerStatus&)>)>;

  using Endpoint = boost::asio::ip::tcp::endpoint;

  /// Reads ADDR:PORT, [ADDR]:PORT, or :PORT for every address.
  static Result<Endpoint> parse_address(const std::string& text);

  /// Listens at `endpoint`. One that is taken, or not there yet, is tried again until it can be
  /// listened at.
  HttpStatus(const boost::asio::any_io_executor& executor, const Endpoint& endpoint,
             AskStatus ask_status);
  ~HttpStatus();
  HttpStatus(const HttpStatus&) = delete;
  HttpStatus& operator=(const HttpStatus&) = delete;

  /// 0 while it does not listen.
  std::uint16_t port() const;

 private:
  struct Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace tandem::control
