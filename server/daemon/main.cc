#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/control/ovsdb_commands.h"
#include "server/control/sessions_command.h"
#include "server/control/standard_commands.h"
#include "server/control/start_text.h"
#include "server/control/tandem_commands.h"
#include "server/control/unixctl_server.h"
#include "server/control/version.h"
#include "server/daemon/crash_handler.h"
#include "server/daemon/fatal.h"
#include "server/daemon/last_resort.h"
#include "server/daemon/launch.h"
#include "server/daemon/main_loop.h"
#include "server/daemon/observation.h"
#include "server/daemon/options.h"
#include "server/daemon/pidfile.h"
#include "server/daemon/process_status.h"
#include "server/daemon/server.h"
#include "server/daemon/user.h"
#include "server/http/http_server.h"
#include "server/http/pages.h"
#include "server/logging/vlog.h"

/// Read by jemalloc: pages that have been free for two seconds go back to the system, by a thread
/// of its own.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0";
}

namespace tandem {

namespace {

log::Module logger("ovsdb_server");

/// For `user` a link as log file is not followed: whoever owns the folder would get what it leads
/// to.
Result<void> configure_logging(const LogOptions& options, bool user) {
  for (const std::string& spec : options.specs) {
    if (auto problem = log::apply_spec(spec)) {
      return fatal_error("processing \"" + spec + "\": " + *problem);
    }
  }
  if (options.syslog_method) {
    if (auto problem = log::set_syslog_method(*options.syslog_method)) return fatal_error(*problem);
  }
  // A database can be served without the log: the warning tells, and "vlog/reopen" tries again.
  if (options.file) log::open_file(*options.file, user ? log::Links::kRefuse : log::Links::kFollow);
  if (options.syslog_target) {
    if (auto problem = log::set_syslog_target(*options.syslog_target)) return fatal_error(*problem);
  }
  return {};
}

/// Each client takes one: as many as the administrator allows, not the default for programs that
/// use select().
void raise_descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Makes the pidfile that the options name, once. One that is to be overwritten, of a server that
/// runs, is left alone until this one is `established`: the start may fail, and that one go on.
Result<void> create_pidfile(const DaemonOptions& options, bool established,
                            std::optional<Pidfile>& pidfile) {
  if (!options.pidfile || pidfile) return {};
  if (!established && options.overwrite_pidfile && Pidfile::holder(*options.pidfile)) return {};
  auto file = Pidfile::create(*options.pidfile, options.overwrite_pidfile);
  if (file.has_error()) return file.error();
  pidfile.emplace(std::move(*file));
  return {};
}

/// Null if the user wants none.
Result<std::unique_ptr<control::UnixctlServer>> open_control_socket(
    const Options& options, const Directories& directories, net::IoShard& home,
    const control::CommandRegistry& commands) {
  const std::string path =
      options.unixctl ? *options.unixctl
                      : directories.run + "/ovsdb-server." + std::to_string(::getpid()) + ".ctl";
  if (path == "none") return std::unique_ptr<control::UnixctlServer>();
  return control::UnixctlServer::listen(home.context().get_executor(), path, commands);
}

using HttpServers = std::vector<std::unique_ptr<http::HttpServer>>;

/// Those that the user wants.
HttpServers open_http(const Options& options, Server& server, const Observation& observation,
                      net::IoShard& home) {
  const auto answer = [&](std::string target, std::function<void(http::Page)> use) {
    server.refresh([&, target = std::move(target), use = std::move(use)](bool) {
      use(http::make_page(target, server.status(), observation.journal()));
    });
  };
  HttpServers servers;
  const auto open = [&](const std::optional<http::Endpoint>& endpoint, net::TlsContext* tls) {
    if (!endpoint) return;
    servers.push_back(
        std::make_unique<http::HttpServer>(home.context().get_executor(), *endpoint, tls, answer));
  };
  open(options.http, nullptr);
  open(options.https, &server.tls());
  return servers;
}

/// What threads get to end in before the process ends without them. What they have not written was
/// never acknowledged.
constexpr std::chrono::milliseconds kPatience{3000};

/// The life of the process that serves, after all forks. Errors are failures to start.
Result<MainLoop::Outcome> serve(const Options& options, const Directories& directories,
                                Launch& launch) {
  ProcessTitle::set_comm("ovsdb-server");
  install_crash_handler(launch.crash_report_fd());
  log::start_file_threads();

  std::optional<Pidfile> pidfile;
  if (const auto created = create_pidfile(options.daemon, false, pidfile); created.has_error())
    return created.error();

  LastResort last_resort;
  MainLoop loop;
  Server server(options, directories, loop.home(),
                [&](const HandoverState& state) { launch.handover().save(state); });
  bool orderly = true;
  loop.on_end([&] {
    launch.stopping();
    server.shut_down([&](bool all_closed) {
      orderly = all_closed;
      loop.stop();
    });
  });
  Observation observation(loop.home(), server);
  control::CommandRegistry commands;
  control::add_standard_commands(commands, observation.rates(), [&] { loop.end(); });
  control::add_ovsdb_commands(commands, server);
  control::add_tandem_commands(commands, server);
  control::add_sessions_command(commands, server);
  // Files are locked before any socket is bound: those of a server that runs stay its own.
  if (const auto started = server.start(launch.handover().load()); started.has_error()) {
    return started.error();
  }
  auto control = open_control_socket(options, directories, loop.home(), commands);
  if (control.has_error()) return control.error();
  if (const auto created = create_pidfile(options.daemon, true, pidfile); created.has_error())
    return created.error();
  HttpServers http = open_http(options, server, observation, loop.home());
  server.serve();
  if (options.run_command) {
    if (const auto started = loop.start_command(*options.run_command); started.has_error())
      return started.error();
  }

  launch.ready();
  if (!options.run_command) logger.info("{}", control::start_text(server.status()));
  observation.start();
  const auto outcome = loop.run();
  logger.dbg("exiting");
  http.clear();
  control->reset();
  last_resort.arm(orderly ? kPatience : std::chrono::milliseconds(0), [&pidfile, outcome] {
    pidfile.reset();
    if (outcome.signal != 0) die_of(outcome.signal);
    ::_exit(outcome.exit_status);
  });
  return outcome;
}

/// What is opened later must not become the standard input or output that a parent has closed.
void keep_standard_descriptors() {
  int fd = -1;
  do fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

int run(int argc, char** argv) {
  keep_standard_descriptors();
  ProcessTitle title(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error of the write
  raise_descriptor_limit();

  const Directories directories = Directories::from_environment();
  const auto options = parse_options({argv + 1, argv + argc}, directories);
  if (options.has_error()) return report_fatal(options.error());
  switch (options->action) {
    case Options::Action::kHelp:
      std::fputs(usage(directories).c_str(), stdout);
      return EXIT_SUCCESS;
    case Options::Action::kVersion:
      std::printf("%s", control::kVersionText.data());
      return EXIT_SUCCESS;
    case Options::Action::kServe:
      break;
  }

  log::keep_warnings();
  if (const auto configured = configure_logging(options->log, options->daemon.user.has_value());
      configured.has_error()) {
    return report_fatal(configured.error());
  }
  if (options->daemon.user) {
    if (const auto become = become_user(*options->daemon.user); become.has_error())
      return report_fatal(become.error());
  }
  Launch launch = Launch::start(options->daemon, title);
  const auto outcome = serve(*options, directories, launch);
  if (outcome.has_error()) return report_fatal(outcome.error());
  if (outcome->signal != 0) die_of(outcome->signal);
  return outcome->exit_status;
}

}  // namespace

}  // namespace tandem

int main(int argc, char** argv) {
  try {
    return tandem::run(argc, argv);
  } catch (const std::exception& error) {
    return tandem::report_fatal(tandem::fatal_error(error.what()));
  }
}
