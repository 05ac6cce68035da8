#include "server/daemon/main_loop.h"

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstring>
#include <utility>

#include "server/daemon/fatal.h"
#include "server/daemon/process_status.h"
#include "server/logging/log.h"

namespace tandem {

namespace {

log::Module logger("fatal_signal");

}  // namespace

MainLoop::MainLoop() : termination_(home_.context()), child_ended_(home_.context()) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGALRM}) {
    if (!is_ignored(signal)) termination_.add(signal);  // as nohup has it
  }
  termination_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    // An orderly end: no warning.
    logger.info("terminating with signal {} ({})", signal, ::strsignal(signal));
    outcome_.signal = signal;
    end();
  });
}

void MainLoop::end() {
  const std::function<void()> wind_up = std::exchange(wind_up_, [] {});
  if (wind_up) {
    wind_up();
  } else {
    stop();
  }
}

Result<void> MainLoop::start_command(const std::string& command) {
  child_ended_.add(SIGCHLD);
  auto started = RunCommand::start(command);
  if (started.has_error()) return started.error();
  command_.emplace(std::move(*started));
  watch_command();
  return {};
}

void MainLoop::watch_command() {
  child_ended_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    if (!command_->ended()) {
      watch_command();
      return;
    }
    if (const auto failure = command_->failure()) outcome_.exit_status = report_fatal(*failure);
    end();
  });
}

MainLoop::Outcome MainLoop::run() {
  home_.run();
  return outcome_;
}

}  // namespace tandem
