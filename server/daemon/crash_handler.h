#pragma once

namespace tandem {

/// Makes signals of programming errors leave a backtrace, "SIGSEGV detected, backtrace:" first,
/// before they kill the process as they always do. The lines go to `report_fd`, the monitor's pipe,
/// or if that is -1 raw to the log file. For the serving process, once, before other threads.
void install_crash_handler(int report_fd);

}  // namespace tandem
