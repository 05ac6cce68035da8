#include "server/logging/line_output.h"

#include <cerrno>

namespace tandem::log {

Sent LineOutput::put(int fd, const std::string& line) {
  const std::string text = torn_ ? '\n' + line : line;
  const std::size_t size = write_(fd, text);
  error_ = size == text.size() ? 0 : errno;
  if (size > 0) torn_ = text[size - 1] != '\n';
  if (size == text.size()) return Sent::kYes;
  return size == 0 && (error_ == EPIPE || error_ == EBADF) ? Sent::kNobody : Sent::kLost;
}

}  // namespace tandem::log
