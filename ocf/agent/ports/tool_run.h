#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ocf/agent/ports/operation.h"
#include "server/posix/unique_fd.h"

namespace tandem::agent {

/// The end of a program that was run.
struct ToolEnd {
  int status = 0;  ///< its exit code; -1: it was killed, or could not be started
  std::string output;
};

/// A program that runs beside others, in a process group of its own. It is killed when it is given
/// up.
class ToolRun : public Operation {
 public:
  using Read = std::function<Answer(const ToolEnd&)>;

  struct Command {
    std::vector<std::string> words;
    std::vector<std::string> set{};    ///< NAME=VALUE
    std::vector<std::string> unset{};  ///< names
    bool with_errors = false;          ///< what it says on stderr is output, too
  };

  /// `read` makes the answer of its end.
  ToolRun(const Command& command, Read read);
  ~ToolRun() override;

  void add_to(std::vector<pollfd>& polled) const override;
  std::optional<Answer> go_on() override;

 private:
  void read_output();

  Read read_;
  pid_t pid_ = -1;
  UniqueFd process_;  // pidfd
  UniqueFd pipe_;
  std::string output_;
};

/// From now on SIGTERM kills the tools that run before it ends this process: what they have begun
/// must not go on when the next action has the lock.
void end_tools_at_sigterm();

/// Starts a program that outlives this one, in a session of its own, without input and output.
void start_detached(const std::vector<std::string>& words);

/// A descriptor that becomes readable when the process ends; nothing if there is none.
UniqueFd open_pidfd(pid_t pid);

}  // namespace tandem::agent
