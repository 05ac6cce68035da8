#include "server/posix/prompt_write.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace tandem {

namespace {

/// A pipe that poll() calls writable takes so much without waiting; a terminal takes less.
constexpr std::size_t kPipePiece = PIPE_BUF;
constexpr std::size_t kTerminalPiece = 256;

/// -1 with errno if nothing went.
ssize_t write_if_ready(int fd, std::string_view piece) {
  pollfd ready{fd, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) errno = EAGAIN;
  if ((ready.revents & POLLOUT) == 0) {
    if ((ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) errno = EPIPE;
    return -1;
  }
  // Should another process have filled the pipe since then: many kernels can tell.
  const iovec text{const_cast<char*>(piece.data()), piece.size()};
  const ssize_t size = ::pwritev2(fd, &text, 1, -1, RWF_NOWAIT);
  return size < 0 && errno == EOPNOTSUPP ? ::write(fd, piece.data(), piece.size()) : size;
}

}  // namespace

std::size_t write_at_once(int fd, std::string_view text) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return 0;
  std::size_t written = 0;
  while (written < text.size()) {
    std::string_view piece = text.substr(written);
    ssize_t size = -1;
    if (S_ISSOCK(file.st_mode)) {
      size = ::send(fd, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (S_ISFIFO(file.st_mode) || S_ISCHR(file.st_mode)) {
      piece = piece.substr(0, S_ISFIFO(file.st_mode) ? kPipePiece : kTerminalPiece);
      size = write_if_ready(fd, piece);
    } else {
      size = ::write(fd, piece.data(), piece.size());
    }
    if (size <= 0) break;
    written += static_cast<std::size_t>(size);
  }
  return written;
}

}  // namespace tandem
