#include "ocf/agent/ports/ports.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <variant>

#include "ocf/agent/ports/control_request.h"
#include "ocf/agent/ports/port_probe.h"
#include "ocf/agent/ports/server_process.h"
#include "server/posix/own_program.h"

namespace tandem::agent {

namespace {

/// For what can only be looked at again and again.
constexpr std::int64_t kTickMs = 20;
constexpr std::int64_t kNorthdEndsMs = 500;

/// An answer that is there at once.
class Ready : public Operation {
 public:
  explicit Ready(Answer answer) : answer_(std::move(answer)) {}
  void add_to(std::vector<pollfd>&) const override {}
  std::optional<Answer> go_on() override { return answer_; }

 private:
  Answer answer_;
};

std::string stem_of(Which which) { return fmt::format("ovn{}_db", name_of(which)); }

class Wait : public Operation {
 public:
  void add_to(std::vector<pollfd>&) const override {}
  std::optional<Answer> go_on() override { return std::nullopt; }
};

std::unique_ptr<Operation> ready(Answer::Outcome outcome, std::string text = "") {
  return std::make_unique<Ready>(Answer{outcome, std::move(text), {}});
}

}  // namespace

Ports::Ports(const Environment& environment, StateFile& state, ProcessLock& lock)
    : environment_(environment), state_(state), lock_(lock) {}

void Ports::begin(Step step) {
  Begun operation = std::visit([this](const auto& what) { return take(what); }, step.what);
  running_[step.id] = {std::move(operation), since_boot_ms() + step.limit_ms};
}

std::vector<Ports::Finished> Ports::wait() {
  std::vector<Finished> finished;
  for (;;) {
    for (auto it = running_.begin(); it != running_.end();) {
      std::optional<Answer> answer = it->second.operation->go_on();
      if (!answer && since_boot_ms() >= it->second.end_ms) answer = it->second.operation->give_up();
      if (!answer) {
        ++it;
        continue;
      }
      finished.push_back({it->first, std::move(*answer)});
      it = running_.erase(it);
    }
    if (!finished.empty() || running_.empty()) return finished;
    std::vector<pollfd> polled;
    std::int64_t wait_ms = INT32_MAX;
    const std::int64_t now = since_boot_ms();
    for (const auto& [id, running] : running_) {
      const std::size_t before = polled.size();
      running.operation->add_to(polled);
      wait_ms = std::min(wait_ms, running.end_ms - now);
      const bool only_waits = dynamic_cast<const Wait*>(running.operation.get()) != nullptr;
      if (polled.size() == before && !only_waits) wait_ms = std::min(wait_ms, kTickMs);
    }
    ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(wait_ms, 0)));
  }
}

std::string Ports::path_of(Which which, const char* ending) const {
  return fmt::format("{}/{}{}", environment_.places.run_directory, stem_of(which), ending);
}

std::optional<ProcessInfo> Ports::server(Which which) const {
  return find_server(environment_.places.run_directory, stem_of(which));
}

// --- servers ---

Ports::Begun Ports::take(const AskServer& step) {
  return std::make_unique<ControlRequest>(path_of(step.which, ".ctl"), step);
}

Ports::Begun Ports::take(const LookAtServer& step) {
  const std::optional<ProcessInfo> process = server(step.which);
  if (!process || is_held_by_disk(process->pid)) {
    const bool comes_back =
        waiting_monitor(environment_.places.run_directory, stem_of(step.which)).has_value();
    if (comes_back) return ready(Answer::Outcome::kDone, "restarting tandem");
    const bool ended = ::access(path_of(step.which, ".pid").c_str(), F_OK) != 0;
    return ready(Answer::Outcome::kNotThere, ended ? "ended" : "");
  }
  std::string text = process->state == 'T' ? "stopped" : "running";
  text += is_stock(*process) ? " stock" : " tandem";
  UniqueFd fd;
  if (open_control_socket(path_of(step.which, ".ctl"), fd) != ENOENT) text += " listens";
  return ready(Answer::Outcome::kDone, text);
}

ToolRun::Command Ports::ovn_ctl(std::vector<std::string> words) const {
  ToolRun::Command command{std::move(words), {}, {}, true};
  command.words.insert(command.words.begin(), environment_.places.ovn_ctl);
  const char* path = std::getenv("PATH");
  if (!environment_.places.server_directory.empty())
    command.set.push_back(fmt::format("PATH={}:{}", environment_.places.server_directory,
                                      path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin"));
  return command;
}

Ports::Begun Ports::take(const StartServer& step) {
  if (held_by_disk(environment_.places.run_directory, stem_of(step.which)))
    return ready(Answer::Outcome::kRefused, "the one before was killed, and its disk hangs");
  return std::make_unique<ToolRun>(
      ovn_ctl(step.arguments), [this, which = step.which](const ToolEnd& end) {
        const bool runs = process_of_pidfile(path_of(which, ".pid"), "ovsdb-server").has_value();
        return Answer{runs ? Answer::Outcome::kDone : Answer::Outcome::kRefused,
                      end.output.empty() ? fmt::format("exit code {}", end.status) : end.output,
                      {}};
      });
}

Ports::Begun Ports::take(const ProbePort& step) {
  const Settings& settings = environment_.order.settings;
  const std::string problem =
      port_problem(settings.listening_address(), settings.databases[step.which].port);
  return ready(problem.empty() ? Answer::Outcome::kDone : Answer::Outcome::kRefused, problem);
}

Ports::Begun Ports::take(const AwaitServerEnd& step) {
  const std::optional<ProcessInfo> process = server(step.which);
  if (!process || is_held_by_disk(process->pid)) return ready(Answer::Outcome::kDone);
  return std::make_unique<ProcessEnd>(process->pid);
}

Ports::Begun Ports::take(const KillServer& step) {
  return std::make_unique<ServerKill>(environment_.places.run_directory, stem_of(step.which));
}

Ports::Begun Ports::take(const RunCtl& step) {
  const std::string name = name_of(step.which);
  ToolRun::Command command{{fmt::format("ovn-{}ctl", name), "--timeout=5", "--no-leader-only",
                            "--db=unix:" + path_of(step.which, ".sock")},
                           {},
                           {"OVN_NB_DAEMON", "OVN_SB_DAEMON"},
                           true};
  command.words.insert(command.words.end(), step.arguments.begin(), step.arguments.end());
  return std::make_unique<ToolRun>(command, [](const ToolEnd& end) {
    return Answer{
        end.status == 0 ? Answer::Outcome::kDone : Answer::Outcome::kRefused, end.output, {}};
  });
}

Ports::Begun Ports::take(const StartNorthd&) {
  const std::string pidfile = environment_.places.run_directory + "/ovn-northd.pid";
  if (process_of_pidfile(pidfile, "ovn-northd")) return ready(Answer::Outcome::kDone);
  return std::make_unique<ToolRun>(ovn_ctl({"--ovn-manage-ovsdb=no", "start_northd"}),
                                   [](const ToolEnd& end) {
                                     return Answer{Answer::Outcome::kDone, end.output, {}};
                                   });
}

/// It keeps nothing, so it may end as quickly as it likes.
Ports::Begun Ports::take(const StopNorthd&) {
  const std::string pidfile = environment_.places.run_directory + "/ovn-northd.pid";
  const auto process = process_of_pidfile(pidfile, "ovn-northd");
  if (!process) return ready(Answer::Outcome::kDone);
  auto end = std::make_unique<ProcessEnd>(process->pid, since_boot_ms() + kNorthdEndsMs);
  ::kill(process->pid, SIGTERM);
  return end;
}

// --- this process ---

Ports::Begun Ports::take(const Pause&) { return std::make_unique<Wait>(); }

Ports::Begun Ports::take(const StartKeeper&) {
  if (ProcessLock(environment_.places.state + ".keeper").try_lock())
    start_detached({own_program().path, "keep"});
  return ready(Answer::Outcome::kDone);
}

Ports::Begun Ports::take(const EndKeeper&) {
  ProcessLock alone(environment_.places.state + ".keeper");
  alone.end_holder();
  return ready(Answer::Outcome::kDone);
}

Ports::Begun Ports::take(const Watch&) {
  for (const Which which : kBoth) watched_.connect(which, path_of(which, ".ctl"), server(which));
  return std::make_unique<WatchOperation>(watched_);
}

Ports::Begun Ports::take(const TakeLock&) {
  return ready(lock_.try_lock() ? Answer::Outcome::kDone : Answer::Outcome::kRefused);
}

Ports::Begun Ports::take(const ReleaseLock&) {
  lock_.unlock();
  return ready(Answer::Outcome::kDone);
}

Ports::Begun Ports::take(const ReadMemory&) { return ready(Answer::Outcome::kDone, state_.text()); }

}  // namespace tandem::agent
