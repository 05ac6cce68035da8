#include "server/ctl/http_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "server/ctl/stream.h"

namespace tandem::ctl {

namespace {

constexpr std::size_t kMaxPageBytes = 64U << 20U;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

std::string name_of(const HttpAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : address.host + ":" + address.port;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  return problem == std::errc() && stop == text.data() + text.size() && port != 0;
}

/// All that the server sends until it closes the connection.
Result<std::string> read_all(Stream& stream, const std::string& name) {
  std::string answer;
  std::string bytes;
  for (;;) {
    const int error = stream.receive(bytes);
    const auto failed = [&](std::string_view what) {
      return Error{fmt::format("{}: {}", name, what), "", std::nullopt};
    };
    if (error == ETIMEDOUT) return failed("no answer in time");
    if (error != 0) return failed(fmt::format("connection lost ({})", std::strerror(error)));
    if (bytes.empty()) return {boost::system::in_place_value, std::move(answer)};
    answer += bytes;
    if (answer.size() > kMaxPageBytes) return failed("the answer is too long");
  }
}

/// Behind the head of an answer of HTTP/1.0 or 1.1, if its status is 200.
Result<std::string> body_of(const std::string& answer, const std::string& name) {
  const std::size_t end = answer.find(kEndOfHead);
  if (!answer.starts_with("HTTP/1.") || end == std::string::npos)
    return Error{name + ": the answer is not HTTP", "", std::nullopt};
  std::string_view status = std::string_view(answer).substr(0, answer.find('\r'));
  status.remove_prefix(std::min(status.find(' ') + 1, status.size()));
  if (!status.starts_with("200"))
    return Error{fmt::format("{}: the answer is {}: no Tandem server", name, status), "",
                 std::nullopt};
  return {boost::system::in_place_value, answer.substr(end + kEndOfHead.size())};
}

}  // namespace

std::optional<HttpAddress> parse_http_address(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  if (host.empty() || is_ipv6 != in_brackets || host.find('/') != std::string_view::npos)
    return std::nullopt;
  return HttpAddress{std::string(host), std::string(text.substr(colon + 1))};
}

Result<std::string> get_page(const HttpAddress& address, const std::string& path,
                             std::chrono::milliseconds timeout) {
  const std::string name = name_of(address);
  Stream stream(Stream::Clock::now() + timeout);
  if (const auto connected = stream.connect_host(address.host, address.port); connected.has_error())
    return connected.error();
  // By HTTP/1.0 the server closes the connection behind the page, and sends it in one piece.
  const std::string request = fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", path, name);
  if (const int error = stream.send(request); error != 0) {
    return Error{fmt::format("{}: cannot send the request ({})", name, std::strerror(error)), "",
                 std::nullopt};
  }
  const Result<std::string> answer = read_all(stream, name);
  return answer ? body_of(*answer, name) : answer;
}

}  // namespace tandem::ctl
