#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error.h"

namespace tandem::ctl {

/// Where a server has its status pages (--http).
struct HttpAddress {
  std::string host;  ///< without brackets
  std::string port;
};

/// Reads "HOST:PORT", "[ADDRESS]:PORT", or one of them behind "http://". Nothing if it is none.
std::optional<HttpAddress> parse_http_address(std::string_view text);

/// The body of a page, connecting included until `timeout`. Fails if the server cannot be reached,
/// does not answer, or has no such page. Blocks.
Result<std::string> get_page(const HttpAddress& address, const std::string& path,
                             std::chrono::milliseconds timeout);

}  // namespace tandem::ctl
