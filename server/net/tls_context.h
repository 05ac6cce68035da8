#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/net/key_file.h"
#include "server/net/stream.h"

struct ssl_ctx_st;

namespace tandem::net {

/// Where keys come from and what is allowed (ovsdb-server(1), "Public Key Infrastructure Options").
/// Files that are not named are not configured.
struct TlsConfig {
  std::string private_key;
  std::string certificate;
  std::string ca_cert;             ///< "none": peers are not verified
  bool bootstrap_ca_cert = false;  ///< get a missing `ca_cert` from the first peer
  std::string peer_ca_cert;        ///< sent along with our certificate
  std::string protocols;           ///< see TlsProtocols
  std::string ciphers;             ///< up to TLSv1.2
  std::string ciphersuites;        ///< TLSv1.3
  std::string server_name{};       ///< that servers are asked for; empty: the host of the target

  bool operator==(const TlsConfig&) const = default;
};

/// The keys of the process as new connections need them. Files are read when the configuration is
/// set and again when they change, which is looked at no more than once a second. Thread-safe;
/// connections keep the keys they began with.
///
/// What is missing or unreadable is logged, and listening goes on: the handshakes fail until it is
/// there.
class TlsContext {
 public:
  enum class Side : std::uint8_t { kServer, kClient };

  TlsContext();
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// Relative file names are taken from the present working directory, for good.
  void configure(TlsConfig config);
  TlsConfig config() const;
  /// How the files were when they were last read. Never waits for a disk.
  std::vector<KeyFile> files() const;
  /// Reads files that have changed, if any are configured. For a thread that may wait for a disk.
  void look();

  /// A stream with TLS over the connected socket `fd`; `name` is for logs.
  std::unique_ptr<Stream> make_stream(IoShard& shard, UniqueFd fd, FdListener& listener, Side side,
                                      std::string name);

  /// Writes the root certificate at the end of the peer's chain to the file that is to be
  /// bootstrapped. Empty text, or the reason why it could not be.
  std::string save_root(const std::string& pem);

 private:
  struct Watched {
    std::string file;
    std::filesystem::file_time_type changed;
    bool operator==(const Watched&) const = default;
  };

  /// What a new connection begins with.
  struct Keys {
    std::shared_ptr<ssl_ctx_st> context;
    bool bootstrapping = false;  ///< nobody is verified: only good for getting the CA's certificate
    std::string server_name{};   ///< as in the configuration
  };

  Keys current();
  std::vector<Watched> look_at_files() const;
  void load();
  void note(std::vector<KeyFile> files);

  mutable std::mutex mutex_;
  TlsConfig config_;
  Keys keys_;                     ///< null until first needed
  std::vector<Watched> watched_;  ///< as they were when last read
  std::int64_t looked_ms_ = 0;
  mutable std::mutex files_mutex_;
  std::vector<KeyFile> files_;  // under files_mutex_
};

}  // namespace tandem::net
