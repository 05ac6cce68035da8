// tandem-tool: works on database files where no server does. Installed as `ovsdb-tool` too, with
// that program's commands, words and exit statuses (ovsdb-tool(1)).

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "server/logging/vlog.h"
#include "server/storage/posix_file_system.h"
#include "server/tool/command.h"

namespace tandem::tool {
namespace {

int fail(const std::string& program, std::string_view text) {
  std::cout.flush();
  std::cerr << program << ": " << text << '\n';
  return EXIT_FAILURE;
}

/// The text of what is wrong, if anything.
log::Problem configure_logging(const Invocation& invocation) {
  log::set_levels(log::Destination::kConsole, log::Level::kWarn);
  log::set_levels(log::Destination::kSyslog, log::Level::kWarn);
  for (const std::string& spec : invocation.log_specs) {
    if (const auto problem = log::apply_spec(spec))
      return "processing \"" + spec + "\": " + *problem;
  }
  log::Problem problem;
  if (invocation.syslog_method) problem = log::set_syslog_method(*invocation.syslog_method);
  if (!problem && invocation.syslog_target)
    problem = log::set_syslog_target(*invocation.syslog_target);
  if (!problem && invocation.log_file) {
    const std::string file = invocation.log_file->empty()
                                 ? invocation.directories.log + "/ovsdb-tool.log"
                                 : *invocation.log_file;
    problem = log::open_file(file);
    if (problem) problem = file + ": " + *problem;
  }
  return problem;
}

int run(const Invocation& invocation) {
  switch (invocation.action) {
    case Invocation::Action::kHelp:
      std::cout << usage(invocation.directories);
      return kDone;
    case Invocation::Action::kListOptions:
      std::cout << list_options();
      return kDone;
    case Invocation::Action::kVersion:
      std::cout << "ovsdb-tool (Open vSwitch) 3.1.0\nTandem " TANDEM_VERSION "\n";
      return kDone;
    case Invocation::Action::kCommand:
      break;
  }
  if (const auto problem = configure_logging(invocation)) return fail(invocation.program, *problem);
  storage::PosixFileSystem files;
  const SystemClock clock;
  const Result<int> status = run_command({invocation, files, clock, std::cout});
  if (!status) return fail(invocation.program, status.error().to_string());
  return *status;
}

}  // namespace
}  // namespace tandem::tool

int main(int argc, char** argv) {
  try {
    std::ios::sync_with_stdio(false);
    const auto invocation =
        tandem::tool::parse_invocation(argc, argv, tandem::Directories::from_environment());
    if (!invocation) return EXIT_FAILURE;
    const int status = tandem::tool::run(*invocation);
    if (!std::cout.flush())
      return tandem::tool::fail(invocation->program, "write to stdout failed");
    return status;
  } catch (const std::exception& error) {
    return tandem::tool::fail("tandem-tool", error.what());
  }
}
