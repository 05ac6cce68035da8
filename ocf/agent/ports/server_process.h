#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "ocf/agent/ports/operation.h"
#include "server/posix/unique_fd.h"

namespace tandem::agent {

/// A process as /proc shows it. A value.
struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string name;
  char state = '?';  ///< 'T': stopped, 'Z': dead
};

std::optional<ProcessInfo> process_info(pid_t pid);
/// The process in this pidfile, if it lives and has this name.
std::optional<ProcessInfo> process_of_pidfile(const std::string& pidfile, const std::string& name);
/// A server of OVN's by its files: by its pidfile, by its control socket, and, where both are gone,
/// by its command line. Not one in another container.
std::optional<ProcessInfo> find_server(const std::string& run_directory, const std::string& stem);
/// The monitor process of a server that has died, which waits to start it again.
std::optional<pid_t> waiting_monitor(const std::string& run_directory, const std::string& stem);
/// The monitor process that starts a server again, if it has one that lives.
std::optional<pid_t> monitor_of(const ProcessInfo& server);
/// A server that has been killed, but that a disk which hangs keeps in the kernel: no code of its
/// own runs again, but its sockets and its lock on the database stay until the disk answers.
bool is_held_by_disk(pid_t pid);
/// The server in this pidfile, if it is one.
std::optional<pid_t> held_by_disk(const std::string& run_directory, const std::string& stem);
/// Whether it is a stock server, by the file that it runs.
bool is_stock(const ProcessInfo& server);

/// Kills a server and its monitor process, until neither is there: that may have started another
/// one just before it died. A server that is held by its disk does not count.
class ServerKill : public Operation {
 public:
  ServerKill(std::string run_directory, std::string stem)
      : run_directory_(std::move(run_directory)), stem_(std::move(stem)) {}

  void add_to(std::vector<pollfd>&) const override {}
  std::optional<Answer> go_on() override;

 private:
  std::string run_directory_;
  std::string stem_;
};

/// Waits for a process to end; SIGKILL at `kill_at_ms` if that is given.
class ProcessEnd : public Operation {
 public:
  explicit ProcessEnd(pid_t pid, std::optional<std::int64_t> kill_at_ms = std::nullopt)
      : pid_(pid), fd_(open(pid)), kill_at_ms_(kill_at_ms) {}

  void add_to(std::vector<pollfd>& polled) const override;
  std::optional<Answer> go_on() override;

 private:
  static UniqueFd open(pid_t pid);

  pid_t pid_;
  UniqueFd fd_;
  std::optional<std::int64_t> kill_at_ms_;
};

}  // namespace tandem::agent
