#include "server/daemon/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace tandem {

Pipe::Pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  read_end = UniqueFd(ends[0]);
  write_end = UniqueFd(ends[1]);
}

bool Pipe::wait_for_byte() const {
  char byte = 0;
  ssize_t size = 0;
  do {
    size = ::read(read_end.get(), &byte, 1);
  } while (size < 0 && errno == EINTR);
  return size == 1;
}

}  // namespace tandem
