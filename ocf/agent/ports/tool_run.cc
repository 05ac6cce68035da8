#include "ocf/agent/ports/tool_run.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace tandem::agent {

namespace {

constexpr int kDeathMs = 200;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

std::string name_in(const std::string& variable) { return variable.substr(0, variable.find('=')); }

std::vector<std::string> environment_for(const ToolRun::Command& command) {
  std::vector<std::string> changed = command.unset;
  for (const std::string& variable : command.set) changed.push_back(name_in(variable));
  std::vector<std::string> result = command.set;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::find(changed.begin(), changed.end(), name_in(*variable)) == changed.end())
      result.emplace_back(*variable);
  }
  return result;
}

/// With the signals as a shell would give them.
pid_t spawn(const ToolRun::Command& command, int output, short flags) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
  const auto connect = [&files](int to, int from) {
    if (from >= 0) {
      posix_spawn_file_actions_adddup2(&files, from, to);
    } else {
      posix_spawn_file_actions_addopen(&files, to, "/dev/null", O_RDWR, 0);
    }
  };
  connect(1, output);
  connect(2, command.with_errors ? output : -1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(
      &attributes, static_cast<short>(flags | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  std::vector<std::string> words = command.words;
  std::vector<std::string> environment = environment_for(command);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, words[0].c_str(), &files, &attributes,
                                   pointers(words).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error == 0 ? pid : -1;
}

/// The process groups of tools that run, for a signal handler.
std::array<volatile sig_atomic_t, 64> running_groups{};

void note_group(pid_t from, pid_t to) {
  for (volatile sig_atomic_t& group : running_groups) {
    if (group != from) continue;
    group = to;
    return;
  }
}

void end_with_tools(int signal) {
  for (const volatile sig_atomic_t& group : running_groups) {
    if (group > 0) ::kill(-group, SIGKILL);
  }
  ::_exit(128 + signal);
}

}  // namespace

void end_tools_at_sigterm() {
  struct sigaction action {};
  action.sa_handler = end_with_tools;
  ::sigaction(SIGTERM, &action, nullptr);
}

UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

ToolRun::ToolRun(const Command& command, Read read) : read_(std::move(read)) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  pipe_ = UniqueFd(ends[0]);
  const UniqueFd writer(ends[1]);
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, &before);  // until it is among those that are ended
  pid_ = spawn(command, writer.get(), POSIX_SPAWN_SETPGROUP);
  if (pid_ > 0) note_group(0, pid_);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid_ > 0) process_ = open_pidfd(pid_);
}

ToolRun::~ToolRun() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  note_group(pid_, 0);
  // One that hangs in the kernel is left to init.
  pollfd end{process_.get(), POLLIN, 0};
  if (process_) ::poll(&end, 1, kDeathMs);
  ::waitpid(pid_, nullptr, WNOHANG);
}

void ToolRun::add_to(std::vector<pollfd>& polled) const {
  if (process_) polled.push_back({process_.get(), POLLIN, 0});
  if (pipe_) polled.push_back({pipe_.get(), POLLIN, 0});
}

void ToolRun::read_output() {
  for (;;) {
    std::array<char, 65536> buffer{};
    const ssize_t size = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (size == 0) pipe_ = {};
    if (size <= 0) return;
    output_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

/// Its end counts, not that of its output: a daemon that it has started may hold that open.
std::optional<Answer> ToolRun::go_on() {
  if (pid_ <= 0) return read_({-1, ""});
  if (pipe_) read_output();
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  note_group(pid_, 0);
  pid_ = -1;
  if (pipe_) read_output();
  return read_({WIFEXITED(status) ? WEXITSTATUS(status) : -1, output_});
}

void start_detached(const std::vector<std::string>& words) {
  (void)spawn({words}, -1, POSIX_SPAWN_SETSID);
}

}  // namespace tandem::agent
