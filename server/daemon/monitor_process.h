#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "server/daemon/options.h"
#include "server/daemon/pipe.h"
#include "server/daemon/process_title.h"
#include "server/posix/unique_fd.h"

namespace tandem {

/// What a server under a monitor gets from it.
struct MonitoredChild {
  UniqueFd ready;         ///< takes a byte when the server is ready
  UniqueFd crash_report;  ///< takes a backtrace
};

/// The process that starts the server again when it dies of a programming error, or is killed by
/// the kernel for lack of memory: ovsdb-server(1), --monitor. It has one thread and no other work,
/// so little can happen to it.
class MonitorProcess {
 public:
  /// `ready` takes a byte when the first server is ready; it may be empty.
  MonitorProcess(const DaemonOptions& options, ProcessTitle& title, UniqueFd ready);

  /// Forks servers, and returns in each of them. In the monitor process itself it does not return:
  /// that ends when a server ends in any other way than by a crash.
  MonitoredChild run();

 private:
  /// Forks a server; true in the server.
  bool start_child(Pipe& ready, Pipe& crash_report);
  /// Waits until the server that was just forked serves. Ends the process if it does not.
  void wait_until_ready(const Pipe& ready);
  /// Waits for the server's end; its wait(2) status.
  int wait_for_end() const;
  void log_crash_report(const Pipe& crash_report) const;
  /// Keeps restarts apart; the first one comes at once.
  void delay_restart(const std::string& what);
  [[noreturn]] void end(int status) const;

  const DaemonOptions& options_;
  ProcessTitle& title_;
  UniqueFd ready_;
  pid_t child_ = 0;
  unsigned crashes_ = 0;
  std::string status_ = "healthy";
  std::optional<std::chrono::steady_clock::time_point> last_restart_;
};

}  // namespace tandem
