#include "server/daemon/monitor_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "server/daemon/launch.h"
#include "server/daemon/process_status.h"
#include "server/logging/vlog.h"

namespace tandem {

namespace {

log::Module logger("daemon_unix");
log::Module backtrace_logger("backtrace");

/// A server that serves is worth more than a quiet log: a second crash soon after the first is no
/// reason to be away for long.
constexpr std::chrono::seconds kMinTimeBetweenRestarts{1};
constexpr std::array kPassedOn = {SIGTERM, SIGINT, SIGHUP};

volatile pid_t signal_target = 0;
volatile std::sig_atomic_t signal_received = 0;

/// Whoever stops the monitor process means the server, so that gets the signal.
void pass_on(int signal) {
  signal_received = signal;
  if (signal_target > 0) ::kill(signal_target, signal);
}

void set_signal_handlers(void (*handler)(int)) {
  for (const int signal : kPassedOn) {
    if (is_ignored(signal)) continue;  // and stays so, in the server too
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaction(signal, &action, nullptr);
  }
}

/// Signals that mean a programming error, and SIGKILL, which nobody sends who wants an orderly end.
bool is_crash(int status) {
  constexpr std::array kCrashes = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE,  SIGILL,
                                   SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGKILL};
  return WIFSIGNALED(status) &&
         std::find(kCrashes.begin(), kCrashes.end(), WTERMSIG(status)) != kCrashes.end();
}

}  // namespace

MonitorProcess::MonitorProcess(const DaemonOptions& options, ProcessTitle& title, UniqueFd ready)
    : options_(options), title_(title), ready_(std::move(ready)) {}

MonitoredChild MonitorProcess::run() {
  for (;;) {
    Pipe ready;
    Pipe crash_report;
    if (start_child(ready, crash_report)) {
      return {std::move(ready.write_end), std::move(crash_report.write_end)};
    }
    wait_until_ready(ready);
    log::close_file();

    const int status = wait_for_end();
    log::reopen_file();
    log_crash_report(crash_report);
    const std::string what = fmt::format("pid {} died, {}", child_, describe_status(status));
    if (!is_crash(status)) {
      logger.info("{}, exiting", what);
      // A server that somebody else stopped has ended well, as the manager of services should hear.
      if (WIFSIGNALED(status) && signal_received == 0) ::_exit(EXIT_SUCCESS);
      end(status);
    }
    ++crashes_;
    status_ = fmt::format("{} crashes: {}", crashes_, what);
    delay_restart(status_);
    logger.err("{}, restarting", status_);
  }
}

bool MonitorProcess::start_child(Pipe& ready, Pipe& crash_report) {
  // A signal between fork and the assignment of the target is kept until then.
  sigset_t passed_on;
  sigset_t before;
  sigemptyset(&passed_on);
  for (const int signal : kPassedOn) sigaddset(&passed_on, signal);
  sigprocmask(SIG_BLOCK, &passed_on, &before);
  child_ = ::fork();
  if (child_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  const bool in_child = child_ == 0;
  if (in_child) {
    set_signal_handlers(SIG_DFL);
    title_.restore();
    log::set_subprogram("");
    log::keep_warnings();
    ready_ = {};
    ready.read_end = {};
    crash_report.read_end = {};
  } else {
    signal_target = child_;
    set_signal_handlers(pass_on);
    ProcessTitle::set_comm("monitor");
    log::set_subprogram("monitor");
    ready.write_end = {};
    crash_report.write_end = {};
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return in_child;
}

void MonitorProcess::wait_until_ready(const Pipe& ready) {
  if (!ready.wait_for_byte()) {
    if (crashes_ > 0) return;  // a restart: wait_for_end() finds out
    end(wait_for_end());
  }
  title_.set(fmt::format("ovsdb-server: monitoring pid {} ({})", child_, status_));
  log::take_kept_warnings();  // of its own, from before the fork
  if (!ready_) return;
  // The byte goes last: whoever waits for it may look at once at what there is.
  if (options_.detach) go_to_background(options_.chdir);
  const ssize_t written = ::write(ready_.get(), "", 1);
  static_cast<void>(written);
  ready_ = {};
}

int MonitorProcess::wait_for_end() const {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  signal_target = 0;
  return status;
}

void MonitorProcess::log_crash_report(const Pipe& crash_report) const {
  // All writers are gone but for processes that the server left behind: take what is there.
  ::fcntl(crash_report.read_end.get(), F_SETFL, O_NONBLOCK);
  std::array<char, 65536> text{};
  const ssize_t size = ::read(crash_report.read_end.get(), text.data(), text.size());
  if (size > 0)
    backtrace_logger.write_lines(log::Level::kWarn, {text.data(), static_cast<std::size_t>(size)});
}

void MonitorProcess::delay_restart(const std::string& what) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto due = last_restart_ ? *last_restart_ + kMinTimeBetweenRestarts : now();
  if (now() < due) {
    logger.warn("{}, waiting until {} seconds since last restart", what,
                kMinTimeBetweenRestarts.count());
  }
  while (signal_received == 0 && now() < due) ::usleep(100'000);
  if (signal_received != 0) {
    logger.info("stopped by signal {}, exiting", static_cast<int>(signal_received));
    die_of(signal_received);
  }
  last_restart_ = now();
}

void MonitorProcess::end(int status) const {
  if (WIFSIGNALED(status)) die_of(WTERMSIG(status));
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

}  // namespace tandem
