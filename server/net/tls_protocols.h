#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/error.h"

namespace tandem::net {

/// Which versions of TLS are allowed: the --ssl-protocols option of ovsdb-server(1).
struct TlsProtocols {
  /// Bits 0 to 3: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3.
  std::uint8_t versions = 0b1100;

  /// Reads a list separated by commas or spaces of names ("TLSv1.2"), ranges ("TLSv1.2-TLSv1.3")
  /// and open ranges
  /// ("TLSv1.2+"). Empty text means the default: TLSv1.2 and later.
  static Result<TlsProtocols> parse(std::string_view text);

  bool operator==(const TlsProtocols&) const = default;
};

}  // namespace tandem::net
