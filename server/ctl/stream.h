#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "server/posix/unique_fd.h"

namespace tandem::ctl {

/// A connection to a server. It blocks, but every step ends at the deadline.
class Stream {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Stream(Clock::time_point deadline) : deadline_(deadline) {}

  // These return 0 or an errno; ETIMEDOUT at the deadline.

  /// To a unix socket.
  int connect_file(const std::string& path);
  int send(std::string_view text);
  /// Waits for bytes; none is the end of the stream.
  int receive(std::string& bytes);

  /// To the first address of the host that takes the connection. The look-up of a name has the
  /// system's own timeout.
  Result<void> connect_host(const std::string& host, const std::string& port);

  /// The process that listens at the unix socket; nothing if the kernel does not tell.
  std::optional<pid_t> listening_process() const;

 private:
  int wait_for(short events) const;
  int finish_connecting();

  UniqueFd fd_;
  Clock::time_point deadline_;
};

}  // namespace tandem::ctl
