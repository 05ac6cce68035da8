#include "ocf/agent/ports/server_process.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <utility>
#include <vector>

#include "ocf/agent/ports/control_request.h"
#include "ocf/agent/ports/tool_run.h"

namespace tandem::agent {

namespace {

constexpr const char* kServer = "ovsdb-server";

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The word after a name in /proc/PID/status; "?" if there is none.
std::string word_after(const std::string& status, const std::string& name) {
  const std::size_t at = status.find(name);
  std::istringstream rest(at == std::string::npos ? "" : status.substr(at + name.size()));
  std::string word = "?";
  rest >> word;
  return word.empty() ? "?" : word;
}

bool lives(const std::optional<ProcessInfo>& process, const std::string& name) {
  return process && process->state != 'Z' && process->state != 'X' && process->name == name;
}

/// A container on this machine may have the same paths.
bool is_in_our_container(pid_t pid) {
  for (const char* kind : {"mnt", "pid"}) {
    std::error_code problem;
    const auto theirs =
        std::filesystem::read_symlink(fmt::format("/proc/{}/ns/{}", pid, kind), problem);
    const auto ours = std::filesystem::read_symlink(fmt::format("/proc/self/ns/{}", kind), problem);
    if (theirs != ours) return false;
  }
  return true;
}

/// A process of this container with one of these names that lives, and whose command line, words
/// that end with a zero, is this. Others may have the words, too: a debugger, a shell.
std::optional<ProcessInfo> find_process(const std::function<bool(const std::string&)>& is_it,
                                        const std::vector<std::string>& names) {
  std::error_code problem;
  for (std::filesystem::directory_iterator entry("/proc", problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const int pid = std::atoi(entry->path().filename().c_str());
    if (pid <= 0 || !is_it(read_file(fmt::format("/proc/{}/cmdline", pid)))) continue;
    const std::optional<ProcessInfo> process = process_info(pid);
    const bool is_named = std::any_of(
        names.begin(), names.end(), [&](const std::string& name) { return lives(process, name); });
    if (is_named && is_in_our_container(pid)) return process;
  }
  return std::nullopt;
}

enum class Files : std::uint8_t {
  kOurs,    ///< the command line names those at a path
  kOthers,  ///< it names others: of another resource of this machine, with a pid that was ours
  kUnsaid,
};

/// Whose files a server's command line names.
Files files_of(pid_t pid, const std::string& path) {
  std::istringstream words(read_file(fmt::format("/proc/{}/cmdline", pid)));
  Files files = Files::kUnsaid;
  for (std::string word; std::getline(words, word, '\0');) {
    for (const auto& [option, ending] :
         {std::pair{"--pidfile=", ".pid"}, std::pair{"--unixctl=", ".ctl"}}) {
      if (!word.starts_with(option)) continue;
      std::error_code problem;
      const std::string named = word.substr(std::string_view(option).size());
      if (std::filesystem::weakly_canonical(named, problem) ==
          std::filesystem::weakly_canonical(path + ending, problem))
        return Files::kOurs;
      files = Files::kOthers;
    }
  }
  return files;
}

std::optional<pid_t> peer_of(const std::string& socket) {
  UniqueFd fd;
  if (open_control_socket(socket, fd) != 0) return std::nullopt;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.pid;
}

}  // namespace

std::optional<ProcessInfo> process_info(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 4 > stat.size())
    return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  info.name = stat.substr(open + 1, close - open - 1);
  info.state = stat[close + 2];
  info.parent = static_cast<pid_t>(std::atoi(stat.c_str() + close + 4));
  return info;
}

std::optional<ProcessInfo> process_of_pidfile(const std::string& pidfile, const std::string& name) {
  const int pid = std::atoi(read_file(pidfile).c_str());
  if (pid <= 0) return std::nullopt;
  const std::optional<ProcessInfo> process = process_info(pid);
  return lives(process, name) ? process : std::nullopt;
}

std::optional<ProcessInfo> find_server(const std::string& run_directory, const std::string& stem) {
  const std::string path = run_directory + "/" + stem;
  if (auto process = process_of_pidfile(path + ".pid", kServer);
      process && files_of(process->pid, path) == Files::kOurs)
    return process;
  // One that says nothing of its files is known by its control socket.
  if (const auto peer = peer_of(path + ".ctl")) {
    if (auto process = process_info(*peer); lives(process, kServer)) return process;
  }
  const auto process = find_process(
      [&](const std::string& words) {
        for (const std::string& word :
             {"--pidfile=" + path + ".pid", "--unixctl=" + path + ".ctl"}) {
          if (words.find('\0' + word + '\0') != std::string::npos) return true;
        }
        return false;
      },
      {kServer});
  return process;
}

std::optional<pid_t> waiting_monitor(const std::string& run_directory, const std::string& stem) {
  const std::string path = run_directory + "/" + stem;
  const int pid = std::atoi(read_file(path + ".pid").c_str());
  if (pid <= 0 || files_of(pid, path) == Files::kOthers) return std::nullopt;
  const std::string title = fmt::format("{}: monitoring pid {} ", kServer, pid);
  const auto process = find_process(
      [&](const std::string& words) { return words.starts_with(title); }, {kServer, "monitor"});
  return process ? std::optional<pid_t>(process->pid) : std::nullopt;
}

std::optional<Answer> ServerKill::go_on() {
  const std::string path = run_directory_ + "/" + stem_;
  const std::optional<ProcessInfo> server = find_server(run_directory_, stem_);
  const std::optional<pid_t> monitor =
      server ? monitor_of(*server) : waiting_monitor(run_directory_, stem_);
  if (monitor) ::kill(*monitor, SIGKILL);
  if (server) ::kill(server->pid, SIGKILL);
  if (monitor || (server && !is_held_by_disk(server->pid))) return std::nullopt;
  const std::optional<pid_t> listener = peer_of(path + ".ctl");
  if (!listener) return Answer{Answer::Outcome::kDone, "", {}};
  if (is_held_by_disk(*listener)) {
    ::unlink((path + ".ctl").c_str());  // so that nobody waits for its answer
    return Answer{Answer::Outcome::kDone, "", {}};
  }
  // A server of which no process can be found may answer.
  return Answer{Answer::Outcome::kRefused, "", {}};
}

std::optional<pid_t> monitor_of(const ProcessInfo& server) {
  const std::optional<ProcessInfo> parent = process_info(server.parent);
  if (lives(parent, kServer) || lives(parent, "monitor")) return server.parent;
  return std::nullopt;
}

bool is_held_by_disk(pid_t pid) {
  bool is_held = false;
  std::error_code problem;
  for (std::filesystem::directory_iterator thread(fmt::format("/proc/{}/task", pid), problem), end;
       !problem && thread != end; thread.increment(problem)) {
    const std::string status = read_file(thread->path().string() + "/status");
    const char state = word_after(status, "State:").front();
    if (state == 'Z' || state == 'X') continue;
    const std::uint64_t pending = std::strtoull(word_after(status, "SigPnd:").c_str(), nullptr, 16);
    if (state != 'D' || (pending & (std::uint64_t{1} << (SIGKILL - 1))) == 0) return false;
    is_held = true;
  }
  return is_held;
}

std::optional<pid_t> held_by_disk(const std::string& run_directory, const std::string& stem) {
  const int pid = std::atoi(read_file(run_directory + "/" + stem + ".pid").c_str());
  return pid > 0 && is_held_by_disk(pid) ? std::optional<pid_t>(pid) : std::nullopt;
}

bool is_stock(const ProcessInfo& server) {
  std::error_code problem;
  const auto program =
      std::filesystem::read_symlink(fmt::format("/proc/{}/exe", server.pid), problem);
  return program.filename().string().starts_with(kServer);
}

UniqueFd ProcessEnd::open(pid_t pid) { return open_pidfd(pid); }

void ProcessEnd::add_to(std::vector<pollfd>& polled) const {
  if (fd_ && !kill_at_ms_) polled.push_back({fd_.get(), POLLIN, 0});
}

std::optional<Answer> ProcessEnd::go_on() {
  pollfd entry{fd_.get(), POLLIN, 0};
  if (!fd_ || ::poll(&entry, 1, 0) > 0) return Answer{Answer::Outcome::kDone, "", {}};
  if (kill_at_ms_ && since_boot_ms() >= *kill_at_ms_) {
    ::kill(pid_, SIGKILL);
    kill_at_ms_.reset();
  }
  return std::nullopt;
}

}  // namespace tandem::agent
