#include "bench/endpoint.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "bench/options.h"
#include "bench/void.h"

namespace tandem::bench {

Endpoint::Endpoint(std::string target, const Options& options) : target_(std::move(target)) {
  if (!target_.starts_with("ssl:")) return;
  tls_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
  const bool ok =
      SSL_CTX_use_certificate_chain_file(tls_.get(), options.text("certificate").c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(tls_.get(), options.text("private-key").c_str(),
                                  SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_load_verify_locations(tls_.get(), options.text("ca-cert").c_str(), nullptr) == 1;
  require(ok, "certificates cannot be loaded");
}

int Endpoint::connect() const {
  const int fd = try_connect();
  require(fd >= 0, "cannot connect to " + target_ + ": " + std::strerror(errno));
  return fd;
}

int Endpoint::try_connect() const {
  int fd = -1;
  int result = -1;
  if (target_.starts_with("unix:")) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = target_.substr(5);
    require(path.size() < sizeof address.sun_path, "the socket's path is too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    result = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    const std::size_t colon = target_.rfind(':');
    require(colon > 4 && (target_.starts_with("tcp:") || target_.starts_with("ssl:")),
            "no such kind of address: " + target_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(target_.substr(colon + 1))));
    require(inet_pton(AF_INET, target_.substr(4, colon - 4).c_str(), &address.sin_addr) == 1,
            "not an IPv4 address: " + target_);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    result = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (result != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

}  // namespace tandem::bench
