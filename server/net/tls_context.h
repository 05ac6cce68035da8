#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/net/stream.h"
#include "server/net/tls_keys.h"
#include "server/posix/disk_thread.h"
#include "server/posix/mutex.h"

namespace tandem::net {

/// The keys of the process as new connections need them. Files are read when the configuration is
/// set and again when they change, which is looked at no more than once in 50 ms. Thread-safe;
/// connections keep the keys they began with.
///
/// What is missing or unreadable is logged, and listening goes on: the handshakes fail until it is
/// there. While the disk hangs connections begin with what was read before, and fail if the
/// configuration has changed since.
class TlsContext {
 public:
  enum class Side : std::uint8_t { kServer, kClient };

  TlsContext() = default;
  ~TlsContext() = default;
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// From now on nobody waits for a disk that hangs: DiskThread::start().
  void start_thread() { disk_.start(); }
  /// Relative file names are taken from the present working directory, for good.
  void configure(TlsConfig config);
  TlsConfig config() const;
  /// How the files were when they were last read.
  std::vector<KeyFile> files() const;
  /// Reads files that have changed.
  void look();

  /// A stream with TLS over the connected socket `fd`; `name` is for logs.
  std::unique_ptr<Stream> make_stream(IoShard& shard, UniqueFd fd, FdListener& listener, Side side,
                                      std::string name);

  /// The keys for connections of another protocol, as they are now. Without any every handshake
  /// fails.
  std::shared_ptr<ssl_ctx_st> server_keys();

  /// Writes the root certificate at the end of the peer's chain to the file that is to be
  /// bootstrapped. Empty text, or the reason why it could not be.
  std::string save_root(const std::string& pem);

 private:
  struct Watched {
    std::string file;
    std::filesystem::file_time_type changed;
    bool operator==(const Watched&) const = default;
  };
  static std::vector<Watched> look_at_files(const TlsConfig& config);

  // On the thread for it, without the mutex while they touch files:
  void read();
  void read_if_changed();
  std::string write_root(const std::string& pem);

  DiskThread disk_;
  mutable Mutex mutex_;
  TlsConfig config_ GUARDED_BY(mutex_);
  std::uint64_t configured_ GUARDED_BY(mutex_) = 0;  ///< so many times
  TlsKeys keys_ GUARDED_BY(mutex_);                  ///< without a context until they are read
  std::vector<KeyFile> files_ GUARDED_BY(mutex_);
  std::vector<Watched> watched_ GUARDED_BY(mutex_);  ///< as they were when last read
  std::int64_t looked_ms_ GUARDED_BY(mutex_) = 0;
  bool looking_ GUARDED_BY(mutex_) = false;  ///< somebody has asked for it
};

}  // namespace tandem::net
