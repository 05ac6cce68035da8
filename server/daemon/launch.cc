#include "server/daemon/launch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>

#include "server/daemon/fatal.h"
#include "server/daemon/monitor_process.h"
#include "server/daemon/pipe.h"
#include "server/daemon/process_status.h"
#include "server/logging/vlog.h"

namespace tandem {

namespace {

/// In the process that the shell started: waits until the daemon is ready or dead, and ends as that
/// went.
[[noreturn]] void wait_for_daemon(const Pipe& ready, pid_t daemon) {
  if (ready.wait_for_byte()) ::_exit(EXIT_SUCCESS);
  int status = 0;
  while (::waitpid(daemon, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
    ::_exit(WEXITSTATUS(status));  // it has said why
  ::_exit(report_fatal(fatal_error("could not initiate process: " + describe_status(status))));
}

/// Splits the daemon off the process that the shell started; returns in the daemon, with what to
/// write to when ready.
UniqueFd detach() {
  Pipe ready;
  const pid_t daemon = ::fork();
  if (daemon < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (daemon > 0) {
    ready.write_end = {};
    wait_for_daemon(ready, daemon);
  }
  ::setsid();
  return std::move(ready.write_end);
}

}  // namespace

Launch Launch::start(const DaemonOptions& options, ProcessTitle& title) {
  Launch launch(options, HandoverFile());
  if (options.detach) {
    launch.ready_ = detach();
  } else {
    launch.service_manager_ = ServiceManager::from_environment();
  }
  if (options.monitor) {
    MonitorProcess monitor(options, title, std::move(launch.ready_));
    MonitoredChild child = monitor.run();
    launch.ready_ = std::move(child.ready);
    launch.crash_report_ = std::move(child.crash_report);
  }
  return launch;
}

void Launch::ready() {
  log::take_kept_warnings();
  // First: who waits may look at once.
  if (options_.detach) go_to_background(options_.chdir);
  if (ready_) {
    const ssize_t written = ::write(ready_.get(), "", 1);
    static_cast<void>(written);  // nobody may be left to hear it
    ready_ = {};
  }
  service_manager_.tell("READY=1");
}

void go_to_background(bool chdir) {
  log::set_levels(log::Destination::kConsole, log::Level::kOff);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
  if (chdir && ::chdir("/") != 0) std::perror("ovsdb-server: chdir");
}

}  // namespace tandem
