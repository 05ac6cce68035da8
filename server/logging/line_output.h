#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "server/logging/sent.h"

namespace tandem::log {

/// Writes lines to a console or a log file. A line after one that went in part begins anew. Owned
/// by whoever writes, one call at a time.
class LineOutput {
 public:
  /// Writes to the descriptor, and returns how many bytes went; errno if not all did.
  using Write = std::function<std::size_t(int fd, std::string_view text)>;

  explicit LineOutput(Write write) : write_(std::move(write)) {}

  /// Writes a line, its newline included.
  Sent put(int fd, const std::string& line);
  /// errno: why the last line did not go, or not all of it. 0: it did.
  int error() const { return error_; }

 private:
  const Write write_;
  bool torn_ = false;  ///< the last line went in part
  int error_ = 0;
};

}  // namespace tandem::log
