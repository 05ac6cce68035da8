#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <thread>
#include <utility>

#include "server/ctl/commands.h"
#include "server/ctl/invocation.h"
#include "server/ctl/session_rates.h"
#include "server/posix/directories.h"

namespace tandem::ctl {

namespace {

/// Where OVN's, Open vSwitch's and Tandem's own services have their pidfiles.
std::vector<std::string> run_directories() {
  std::vector<std::string> directories{Directories::from_environment().run};
  constexpr std::array kOthers = {std::pair("OVN_RUNDIR", "/var/run/ovn"),
                                  std::pair("TANDEM_RUNDIR", "/run/tandem")};
  for (const auto& [variable, usual] : kOthers) {
    const char* given = std::getenv(variable);
    const std::string directory = given != nullptr && *given != '\0' ? given : usual;
    if (std::find(directories.begin(), directories.end(), directory) == directories.end())
      directories.push_back(directory);
  }
  return directories;
}

/// A terminal whose user wants colours (no-color.org).
bool wants_colours() {
  const char* refused = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (refused == nullptr || *refused == '\0');
}

int print(const Report& report) {
  std::fputs(report.output.c_str(), stdout);
  if (std::fflush(stdout) != 0) return EXIT_FAILURE;
  std::fputs(report.errors.c_str(), stderr);
  return report.exit_status;
}

/// Of this host's clock, as its people read it.
std::string date_and_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %Z\n", &local)};
}

/// Asks again and again; a server that is away may come back. What is new takes the place of what
/// is on the screen in one piece.
int watch(Invocation invocation) {
  const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
  SessionRates rates;
  const bool with_rates = invocation.command == "tandem/sessions" && !invocation.json;
  if (with_rates) invocation.json = true;
  for (;;) {
    Report report = carry_out(invocation, run_directories(), wants_colours());
    if (with_rates) report.output = rates.show(report.output, std::chrono::steady_clock::now());
    const std::string date = date_and_time();
    report.output = on_terminal ? "\033[H\033[2J" + date + report.output + report.errors
                                : date + report.output + '\n';
    if (on_terminal) report.errors.clear();
    print(report);
    if (std::ferror(stdout) != 0) return EXIT_FAILURE;
    std::this_thread::sleep_for(*invocation.watch);
  }
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto invocation = parse_invocation(arguments);
  if (invocation.has_error()) {
    // Scripts that ask for the verdict must not take a mistake for one that is only degraded.
    const bool cluster =
        std::find(arguments.begin(), arguments.end(), "--cluster") != arguments.end();
    return print(failed(invocation.error(), cluster ? 2 : EXIT_FAILURE));
  }
  if (invocation->help) return print({usage(), "", EXIT_SUCCESS});
  if (invocation->version)
    return print({"tandem-ctl (Tandem) " TANDEM_VERSION "\n", "", EXIT_SUCCESS});
  if (invocation->watch) return watch(*invocation);
  return print(carry_out(*invocation, run_directories(), wants_colours()));
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
