#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "protocol/error.h"

namespace tandem::ctl {

/// A command line of tandem-ctl, read.
struct Invocation {
  bool help = false;
  bool version = false;
  std::optional<std::string> target;  ///< nothing: the Tandem servers of this host
  std::chrono::milliseconds timeout{5000};
  std::string name;     ///< of the command, as it was typed
  std::string command;  ///< that the server knows it by
  std::vector<std::string> arguments;
  bool everywhere = false;  ///< without a target: for each server of this host, not just for one
  bool json = false;        ///< "--json" or "--format json" of a command that knows it
  bool cluster = false;     ///< one table of all copies; `arguments` are the servers
  /// Repeat so often until interrupted.
  std::optional<std::chrono::milliseconds> watch;

  /// A server's arguments, with the format in which it is to answer.
  std::vector<std::string> server_arguments() const;
};

/// Reads the arguments without the program's name. "status" and the other names of the server's
/// tandem/ commands stand for those; everything after another command's name is passed on as it is.
Result<Invocation> parse_invocation(const std::vector<std::string>& arguments);

/// What --help prints.
std::string usage();

}  // namespace tandem::ctl
