#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "server/ctl/client.h"
#include "server/ctl/invocation.h"
#include "server/ctl/target.h"
#include "server/posix/directories.h"

namespace tandem::ctl {

namespace {

/// As ovs-appctl has them.
constexpr int kNotReached = 1;
constexpr int kRefused = 2;

int fail(const Error& error) {
  std::fprintf(stderr, "tandem-ctl: %s\n", error.to_string().c_str());
  return kNotReached;
}

/// Where OVN's and Open vSwitch's servers have their pidfiles.
std::vector<std::string> run_directories() {
  const char* ovn = std::getenv("OVN_RUNDIR");
  return {Directories::from_environment().run, ovn != nullptr ? ovn : "/var/run/ovn"};
}

int run_once(const Invocation& invocation) {
  const auto socket = find_control_socket(invocation.target, run_directories());
  if (socket.has_error()) return fail(socket.error());
  const auto answer =
      run_command(*socket, invocation.command, invocation.arguments, invocation.timeout);
  if (answer.has_error()) return fail(answer.error());
  std::fputs(answer->text.c_str(), answer->is_error ? stderr : stdout);
  if (!answer->is_error) return EXIT_SUCCESS;
  std::fprintf(stderr, "tandem-ctl: %s: server returned an error\n", invocation.target.c_str());
  return kRefused;
}

/// Clears the screen if there is one, and asks again every second; a server that is away may come
/// back.
int watch(const Invocation& invocation) {
  const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
  for (;;) {
    if (on_terminal) std::fputs("\033[H\033[2J", stdout);
    run_once(invocation);
    if (std::fflush(stdout) != 0) return EXIT_FAILURE;
    ::sleep(1);
  }
}

int run(int argc, char** argv) {
  const auto invocation = parse_invocation({argv + 1, argv + argc});
  if (invocation.has_error()) return fail(invocation.error());
  if (invocation->help) {
    std::fputs(usage().c_str(), stdout);
    return EXIT_SUCCESS;
  }
  if (invocation->version) {
    std::puts("tandem-ctl (Tandem) " TANDEM_VERSION);
    return EXIT_SUCCESS;
  }
  return invocation->watch ? watch(*invocation) : run_once(*invocation);
}

}  // namespace

}  // namespace tandem::ctl

int main(int argc, char** argv) {
  try {
    return tandem::ctl::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tandem-ctl: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
