#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/key_file.h"

struct ssl_ctx_st;

namespace tandem::net {

/// Where keys come from and what is allowed (ovsdb-server(1), "Public Key Infrastructure Options").
/// Files that are not named are not configured.
struct TlsConfig {
  /// As `ca_cert`: peers are not verified.
  static constexpr std::string_view kNoVerification = "none";

  std::string private_key;
  std::string certificate;
  std::string ca_cert;
  bool bootstrap_ca_cert = false;  ///< get a missing `ca_cert` from the first peer
  std::string peer_ca_cert;        ///< sent along with our certificate
  std::string protocols;           ///< see TlsProtocols
  std::string ciphers;             ///< up to TLSv1.2
  std::string ciphersuites;        ///< TLSv1.3
  std::string server_name{};       ///< that servers are asked for; empty: the host of the target

  bool operator==(const TlsConfig&) const = default;
};

/// The keys that a configuration leads to. A value; connections share the context that they began
/// with.
struct TlsKeys {
  std::shared_ptr<ssl_ctx_st> context{};
  bool bootstrapping = false;  ///< nobody is verified: only good for getting the CA's certificate
  bool good = false;           ///< all settings and files could be used
  std::vector<KeyFile> files{};

  /// Without any: every handshake fails.
  static TlsKeys none();
  /// Reads the files, which may lie on a disk that hangs.
  static TlsKeys read(const TlsConfig& config);
};

}  // namespace tandem::net
