#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/logging/file_health.h"
#include "server/logging/level.h"

/// What the log looks like and where it goes: the options of ovsdb-server(1), Logging Options, and
/// the vlog/ commands of ovs-appctl(8). All functions are thread-safe. Code that only logs needs
/// log.h alone.
namespace tandem::log {

/// Nothing when all is well, otherwise the text for the user.
using Problem = std::optional<std::string>;

/// Applies the argument of -v or of vlog/set. Nothing is changed on failure.
Problem apply_spec(std::string_view spec);

/// May the log file be a link? Not while it is opened with more rights than those who own its
/// folder.
enum class Links { kFollow, kRefuse };

/// Opens `path` for appending, in place of a log file that is open, and says so in it; nothing if
/// it is the one that is open. On failure a warning has been logged, no log file is open, and
/// reopen_file() tries again.
Problem open_file(const std::string& path, Links links = Links::kFollow);
/// Opens the same file again, after a rotation, or after close_file(). Fails if none was ever
/// named, and if the disk hangs: then it is opened, or closed, as soon as the disk answers.
Problem reopen_file();
Problem close_file();
/// How the log file is; one that was closed by close_file() is not missed.
FileHealth file_health();
/// Lets threads open, write and close the log file from now on, so that nobody waits for a disk
/// that hangs. For the process that serves: a fork leaves threads behind.
void start_file_threads();
/// Makes `uid` and `gid` the owners of the open log file; for --user.
void give_file_to(unsigned uid, unsigned gid);
/// The open log file, or -1. Safe in a signal handler.
int file_descriptor() noexcept;

/// Chooses how to reach syslog: ovsdb-server(1), --syslog-method. The default is in
/// OVS_SYSLOG_METHOD, or "libc".
Problem set_syslog_method(std::string_view method);
/// Also sends what goes to syslog to HOST:PORT by UDP: --syslog-target.
Problem set_syslog_target(std::string_view address);

/// Sets the level of all modules for one destination.
void set_levels(Destination destination, Level level);
/// Names the process within the program in later lines, e.g. "monitor"; empty for the one that
/// serves.
void set_subprogram(std::string name);

/// From now on keeps warnings and errors that the console does not show: those of a start, of which
/// one may be the reason that it fails. Keeps on if it does already.
void keep_warnings();
/// Returns the warnings that were kept, oldest first; none is kept from now on.
std::vector<std::string> take_kept_warnings();

/// Turns rate limiting on or off in the modules named; all of them if none is, or one is "any".
/// Modules before an unknown one are changed.
Problem set_rate_limiting(const std::vector<std::string>& modules, bool enabled);

/// The answers of vlog/list and vlog/list-pattern.
std::string list_levels();
std::string list_patterns();

}  // namespace tandem::log
