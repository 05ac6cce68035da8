#include "server/daemon/crash_handler.h"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "server/logging/vlog.h"
#include "server/posix/signal_stack.h"

namespace tandem {

namespace {

struct NamedSignal {
  int number;
  const char* first_line;
};

constexpr std::array kSignals = {
    NamedSignal{SIGSEGV, "SIGSEGV detected, backtrace:\n"},
    NamedSignal{SIGABRT, "SIGABRT detected, backtrace:\n"},
    NamedSignal{SIGBUS, "SIGBUS detected, backtrace:\n"},
    NamedSignal{SIGFPE, "SIGFPE detected, backtrace:\n"},
    NamedSignal{SIGILL, "SIGILL detected, backtrace:\n"},
};

volatile int report_to = -1;

/// Async-signal-safe, as far as backtrace() is once its library is loaded.
void on_crash(int number) {
  const int fd = report_to >= 0 ? report_to : log::file_descriptor();
  if (fd >= 0) {
    for (const NamedSignal& signal : kSignals) {
      if (signal.number != number) continue;
      const ssize_t written = ::write(fd, signal.first_line, std::strlen(signal.first_line));
      static_cast<void>(written);
    }
    std::array<void*, 64> frames{};
    ::backtrace_symbols_fd(frames.data(), ::backtrace(frames.data(), frames.size()), fd);
  }
  // The disposition is back to the default (SA_RESETHAND): the process now dies of the signal.
  ::raise(number);
}

}  // namespace

void install_crash_handler(int report_fd) {
  report_to = report_fd;
  // The first call loads libgcc_s, which a handler must not do.
  std::array<void*, 1> frames{};
  ::backtrace(frames.data(), frames.size());
  static SignalStack main_stack;  // other threads have theirs
  for (const NamedSignal& signal : kSignals) {
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_ONSTACK | SA_NODEFER;
    ::sigaction(signal.number, &action, nullptr);
  }
}

}  // namespace tandem
