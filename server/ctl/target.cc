#include "server/ctl/target.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

namespace tandem::ctl {

namespace {

constexpr std::string_view kPidfileEnding = ".pid";

Error failure(std::string text) { return Error{std::move(text), "", std::nullopt}; }

bool is_socket(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

std::optional<long> read_pid(const std::string& path) {
  std::ifstream file(path);
  long pid = 0;
  return file >> pid && pid > 0 ? std::optional(pid) : std::nullopt;
}

/// A server's socket stands beside its pidfile: "NAME.PID.ctl", or "NAME.ctl" where ovn-ctl chose
/// the name.
Result<std::string> beside_pidfile(const std::string& pidfile) {
  const auto pid = read_pid(pidfile);
  if (!pid) return failure(fmt::format("cannot read pidfile \"{}\"", pidfile));
  const std::string stem = pidfile.substr(0, pidfile.size() - kPidfileEnding.size());
  for (const std::string& path : {fmt::format("{}.{}.ctl", stem, *pid), stem + ".ctl"}) {
    if (is_socket(path)) return {boost::system::in_place_value, path};
  }
  return failure(fmt::format("no control socket beside \"{}\"", pidfile));
}

}  // namespace

Result<std::string> find_control_socket(const std::string& target,
                                        const std::vector<std::string>& run_directories) {
  if (target.find('/') != std::string::npos) {
    if (target.ends_with(kPidfileEnding)) return beside_pidfile(target);
    return {boost::system::in_place_value, target};
  }
  for (const std::string& directory : run_directories) {
    const std::string pidfile = fmt::format("{}/{}{}", directory, target, kPidfileEnding);
    if (read_pid(pidfile)) return beside_pidfile(pidfile);
  }
  return failure(fmt::format("cannot read pidfile \"{}/{}.pid\"",
                             run_directories.empty() ? "" : run_directories.front(), target));
}

}  // namespace tandem::ctl
