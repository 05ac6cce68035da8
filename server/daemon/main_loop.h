#pragma once

#include <boost/asio/signal_set.hpp>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "server/daemon/run_command.h"
#include "server/net/io_shard.h"

namespace tandem {

/// What the main thread does while other threads serve: it runs control commands, takes signals,
/// and watches --run's command. Made in the serving process after all forks; one thread.
class MainLoop {
 public:
  /// How serving ended.
  struct Outcome {
    int exit_status = EXIT_SUCCESS;
    int signal = 0;  ///< the one that asked for it, or 0
  };

  /// From now on SIGTERM, SIGINT, SIGHUP and SIGALRM ask for the end, unless they were ignored.
  MainLoop();

  /// Says what the first wish to end does instead of stopping at once: it has to lead to stop().
  void on_end(std::function<void()> wind_up) { wind_up_ = std::move(wind_up); }
  /// Winds up; at the second wish nothing more happens.
  void end();

  /// Starts --run's command; its end asks for the end.
  Result<void> start_command(const std::string& command);

  /// Runs until stop().
  Outcome run();
  void stop() { home_.stop(); }

  net::IoShard& home() { return home_; }

 private:
  void watch_command();

  net::IoShard home_{0};
  std::function<void()> wind_up_;
  boost::asio::signal_set termination_;
  boost::asio::signal_set child_ended_;
  std::optional<RunCommand> command_;
  Outcome outcome_;
};

}  // namespace tandem
