#pragma once

#include <memory>
#include <string>

typedef struct ssl_ctx_st SSL_CTX;

namespace tandem::bench {

class Options;

/// Where clients connect: "unix:PATH", "tcp:IP:PORT" or "ssl:IP:PORT".
class Endpoint {
 public:
  /// For ssl, takes --private-key, --certificate and --ca-cert.
  Endpoint(std::string target, const Options& options);

  /// A connected socket that does not block. Throws Void.
  int connect() const;
  /// The same, -1 if nobody answers.
  int try_connect() const;
  /// Null: not TLS.
  SSL_CTX* tls() const { return tls_.get(); }
  const std::string& target() const { return target_; }

 private:
  std::string target_;
  std::shared_ptr<SSL_CTX> tls_;
};

}  // namespace tandem::bench
