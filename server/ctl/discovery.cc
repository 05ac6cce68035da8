#include "server/ctl/discovery.h"

#include <fmt/core.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <set>
#include <utility>

#include "server/ctl/client.h"
#include "server/ctl/stream.h"
#include "server/ctl/target.h"

namespace tandem::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSocketEnding = ".ctl";

/// A kind of program that may own a control socket.
enum class Daemon : std::uint8_t {
  kTandem,  ///< answers as a Tandem server, or does not answer and may be one
  kStock,   ///< Open vSwitch's database server
  kOther,   ///< another daemon, or none
  kClosed,  ///< this user may not know
};

/// Does the process that does not answer run another program? False if that cannot be known.
bool runs_another_program(std::optional<pid_t> process) {
  if (!process) return false;
  const std::string folder = fmt::format("/proc/{}", *process);
  std::error_code error;
  if (const fs::path program = fs::read_symlink(folder + "/exe", error); !error)
    return !program.filename().string().starts_with("tandem-server");
  std::string name;
  return std::getline(std::ifstream(folder + "/comm"), name) && name != "ovsdb-server";
}

Daemon identify(const std::string& socket, std::chrono::milliseconds timeout) {
  std::optional<pid_t> process;
  {
    Stream stream(Stream::Clock::now() + timeout);
    const int error = stream.connect_file(socket);
    if (error == EACCES) return Daemon::kClosed;
    if (error != 0 && error != ETIMEDOUT) return Daemon::kOther;
    if (error == 0) process = stream.listening_process();
  }
  const auto answer = run_command(socket, "list-commands", {}, timeout);
  if (answer.has_error()) return runs_another_program(process) ? Daemon::kOther : Daemon::kTandem;
  const auto has = [&](std::string_view command) {
    return !answer->is_error && answer->text.find(command) != std::string::npos;
  };
  if (has("tandem/status")) return Daemon::kTandem;
  return has("ovsdb-server/sync-status") ? Daemon::kStock : Daemon::kOther;
}

std::set<std::string> sockets_in(const std::vector<std::string>& directories) {
  std::set<std::string> sockets;
  for (const std::string& directory : directories) {
    std::error_code error;
    // The same folder may have two names: /var/run is a link.
    const fs::path folder = fs::canonical(directory, error);
    if (error) continue;
    fs::directory_iterator entry(folder, error);
    while (!error && entry != fs::directory_iterator()) {
      std::error_code gone;
      const std::string path = entry->path().string();
      if (path.ends_with(kSocketEnding) && entry->is_socket(gone)) sockets.insert(path);
      entry.increment(error);
    }
  }
  return sockets;
}

/// Without ".PID" at its end, if it has that.
std::string without_process(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  const bool has_number = dot != std::string::npos && dot + 1 < name.size() &&
                          name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
  return has_number ? name.substr(0, dot) : name;
}

/// The name under which --target finds the socket.
std::string name_of(const std::string& socket, const std::vector<std::string>& directories) {
  std::string file = fs::path(socket).filename().string();
  file.resize(file.size() - kSocketEnding.size());
  for (const std::string& name : {without_process(file), file}) {
    std::error_code error;
    const auto found = find_control_socket(name, directories);
    if (found && fs::canonical(*found, error) == fs::canonical(socket, error)) return name;
  }
  return socket;
}

}  // namespace

Discovery find_servers(const std::vector<std::string>& run_directories,
                       std::chrono::milliseconds timeout) {
  std::vector<std::pair<std::string, std::future<Daemon>>> asked;
  for (const std::string& socket : sockets_in(run_directories))
    asked.emplace_back(socket, std::async(std::launch::async, identify, socket, timeout));
  Discovery found;
  for (auto& [socket, daemon] : asked) {
    switch (daemon.get()) {
      case Daemon::kTandem:
        found.servers.push_back({name_of(socket, run_directories), socket});
        break;
      case Daemon::kStock:
        found.stock.push_back(name_of(socket, run_directories));
        break;
      case Daemon::kClosed:
        found.closed.push_back(socket);
        break;
      case Daemon::kOther:
        break;
    }
  }
  std::sort(found.servers.begin(), found.servers.end(),
            [](const FoundServer& a, const FoundServer& b) { return a.name < b.name; });
  return found;
}

}  // namespace tandem::ctl
