#include "server/daemon/run_command.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "server/daemon/fatal.h"
#include "server/daemon/process_status.h"

namespace tandem {

Result<RunCommand> RunCommand::start(const std::string& command) {
  // The child must not inherit what this process does about signals.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::string text = command;
  std::string shell = "/bin/sh";
  std::string option = "-c";
  const std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, shell.c_str(), nullptr, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return fatal_error(command + ": cannot be run (" + std::strerror(error) + ")");
  return RunCommand(command, pid);
}

bool RunCommand::ended() { return ::waitpid(pid_, &status_, WNOHANG) == pid_; }

std::optional<Error> RunCommand::failure() const {
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return std::nullopt;
  return fatal_error(command_ + ": child exited, " + describe_status(status_));
}

}  // namespace tandem
