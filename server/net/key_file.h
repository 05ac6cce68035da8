#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::net {

/// A file of keys or certificates that the configuration names, and how it was when it was last
/// read. A value.
struct KeyFile {
  /// By the option that names it.
  enum class Kind : std::uint8_t { kPrivateKey, kCertificate, kCaCert, kPeerCaCert };
  using Time = std::chrono::system_clock::time_point;

  Kind kind;
  std::string path;
  std::string problem{};         ///< why it could not be used; empty: it could
  std::optional<Time> expiry{};  ///< of certificates, see read_validity()
  std::optional<Time> start{};   ///< the same

  std::string_view option() const;  ///< that names it, without dashes

  bool operator==(const KeyFile&) const = default;
};

/// Fills in when what the file is for begins and ends. Our certificate serves while all of its
/// chain do. Of a file of authorities the first one and the last one count: the successor of one
/// that ends stands beside it. Nothing if there is no certificate in the file.
void read_validity(KeyFile& file);

}  // namespace tandem::net
