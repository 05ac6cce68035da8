#pragma once

#include <cstddef>
#include <string_view>

namespace tandem {

/// What a scan of UTF-8 text (RFC 3629) found.
struct Utf8Scan {
  std::size_t characters = 0;  ///< before the first fault
  std::string_view
      fault;  ///< the bytes up to the one that does not fit; empty: all of the text is valid
  bool truncated = false;  ///< the fault is that the text ends there
};

Utf8Scan scan_utf8(std::string_view text);

}  // namespace tandem
