#pragma once

#include "server/daemon/handover.h"
#include "server/daemon/options.h"
#include "server/daemon/process_title.h"
#include "server/daemon/service_manager.h"
#include "server/posix/unique_fd.h"

namespace tandem {

/// What the process that serves has of those above it: the one that the shell waits for with
/// --detach, the monitor process of --monitor, and the system's manager of services. Made once,
/// before any thread; lives until the end.
class Launch {
 public:
  /// Forks as the options say and returns in the process that is to serve, also again after a crash
  /// under the monitor. The other processes never return from here.
  static Launch start(const DaemonOptions& options, ProcessTitle& title);

  /// The server serves: lets the shell or the manager of services go on, and with --detach leaves
  /// the terminal and the folder.
  /// Without this call the end of this process is a failed start.
  void ready();
  /// The server winds up: no failure, whoever asked for it.
  void stopping() const { service_manager_.tell("STOPPING=1"); }

  /// Where a crash handler writes for the monitor; -1 without one.
  int crash_report_fd() const { return crash_report_.get(); }
  /// What the server before this one, which crashed, left; shared with the next one.
  HandoverFile& handover() { return handover_; }

 private:
  Launch(const DaemonOptions& options, HandoverFile handover)
      : options_(options), handover_(std::move(handover)) {}

  DaemonOptions options_;
  ServiceManager service_manager_;  ///< none with --detach: its main process is another
  HandoverFile handover_;
  UniqueFd ready_;         ///< takes a byte when the server is ready
  UniqueFd crash_report_;  ///< of the monitor's pipe
};

/// Leaves the terminal, and with `chdir` the folder that the program was started in.
void go_to_background(bool chdir);

}  // namespace tandem
