#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "protocol/error.h"

namespace tandem::ctl {

/// A command line of tandem-ctl, read.
struct Invocation {
  bool help = false;
  bool version = false;
  std::string target = "ovsdb-server";
  std::chrono::milliseconds timeout{5000};
  bool watch = false;  ///< repeat every second until interrupted
  std::string command;
  std::vector<std::string> arguments;
};

/// Reads the arguments without the program's name. "status" and the other names of the server's
/// tandem/ commands stand for those; everything after another command's name is passed on as it is.
Result<Invocation> parse_invocation(const std::vector<std::string>& arguments);

/// What --help prints.
std::string usage();

}  // namespace tandem::ctl
