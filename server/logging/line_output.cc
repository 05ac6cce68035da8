#include "server/logging/line_output.h"

#include <cerrno>

namespace tandem::log {

Sent LineOutput::put(int fd, const std::string& line) {
  const std::string text = torn_ ? '\n' + line : line;
  const std::size_t size = write_(fd, text);
  const int error = errno;
  if (size > 0) torn_ = text[size - 1] != '\n';
  if (size == text.size()) return Sent::kYes;
  return size == 0 && (error == EPIPE || error == EBADF) ? Sent::kNobody : Sent::kLost;
}

}  // namespace tandem::log
