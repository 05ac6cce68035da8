// tandem-agent: one action of the OCF agent, or the keeper. ocf/ovndb-servers executes it.

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <random>
#include <utility>

#include "ocf/agent/decision/actions.h"
#include "ocf/agent/decision/machine.h"
#include "ocf/agent/ports/environment.h"
#include "ocf/agent/ports/former_agent.h"
#include "ocf/agent/ports/journal.h"
#include "ocf/agent/ports/ports.h"
#include "ocf/agent/ports/state_file.h"
#include "ocf/agent/ports/tool_run.h"
#include "server/posix/own_program.h"

namespace tandem::agent {

namespace {

constexpr int kUnimplemented = 3;
/// An action waits so long at most for what an earlier one has left to be done.
constexpr std::int64_t kPatienceMs = 10'000;
constexpr std::int64_t kPatienceOfNobodyMs = 60'000;

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

/// The folder of the state files is gone after a restart of a container. A failure shows at the
/// lock.
void make_folder_of(const std::string& path) {
  std::error_code problem;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), problem);
}

/// A stop or a demotion does not wait for what a promotion has left to be done.
std::int64_t patience_ms(const Order& order) {
  const bool ends_role =
      order.action == Order::Action::kStop || order.action == Order::Action::kDemote;
  return ends_role ? 0 : std::min(kPatienceMs, order.budget_ms() / 2);
}

/// Goes on in a child, of which Pacemaker knows nothing: this process ends with the answer.
void answer_and_go_on(Exit exit, ProcessLock* lock, Journal& journal) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child > 0) ::_exit(static_cast<int>(exit));
  if (child < 0) return;  // then Pacemaker has to wait
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {0, 1, 2}) ::dup2(nothing, fd);
  ::close(nothing);
  journal.leave_terminal();
  if (lock != nullptr) lock->name_holder();
}

/// Waits for the end of what goes on behind an earlier action. What nobody waits for, and a
/// monitor, end nobody else's work. False: it does not end in time.
bool take_lock(ProcessLock& lock, const Order& order, bool told) {
  if (told) return lock.lock(kPatienceOfNobodyMs, ProcessLock::Holder::kIsLeftAlone);
  const bool looks = order.action == Order::Action::kMonitor;
  return lock.lock(patience_ms(order),
                   looks ? ProcessLock::Holder::kIsLeftAlone : ProcessLock::Holder::kIsEnded);
}

/// Runs the keeper of the program that an upgrade has put in this one's place, if there is one.
void become_newer_keeper() {
  const OwnProgram program = own_program();
  if (program.is_gone && ::access(program.path.c_str(), X_OK) == 0)
    ::execl(program.path.c_str(), program.path.c_str(), "keep", static_cast<char*>(nullptr));
}

/// Says once if that fails.
class Diary {
 public:
  Diary(StateFile& state, Journal& journal) : state_(state), journal_(journal) {}
  void write(const Memory& memory) {
    if (state_.write(memory) || std::exchange(told_, true)) return;
    journal_.write(
        {Note::Level::kWarning, "nothing can be remembered: the state file could not be written"});
  }

 private:
  StateFile& state_;
  Journal& journal_;
  bool told_ = false;
};

/// Takes the machine's steps until there is nothing more to do. Returns its answer.
Exit drive(Machine& machine, Ports& ports, StateFile& state, ProcessLock& lock, Journal& journal,
           bool keeps, bool told) {
  Diary diary(state, journal);
  for (;;) {
    for (const Note& note : machine.take_notes()) journal.write(note);
    if (!keeps && lock.is_held()) diary.write(machine.memory());
    if (machine.finished()) return machine.exit_code().value_or(Exit::kSuccess);
    if (!told && machine.exit_code() && ports.idle()) {
      answer_and_go_on(*machine.exit_code(), &lock, journal);
      told = true;
    }
    if (keeps && ports.idle() && !lock.is_held()) become_newer_keeper();
    std::vector<Step> steps = machine.take_steps();
    if (steps.empty() && ports.idle()) {
      // It would go round here for ever.
      journal.write({Note::Level::kReason, "the action waits for nothing: ended"});
      return machine.exit_code().value_or(Exit::kError);
    }
    for (Step& step : steps) {
      // The keeper writes only while it holds the lock.
      if (keeps && std::holds_alternative<ReleaseLock>(step.what)) diary.write(machine.memory());
      ports.begin(std::move(step));
    }
    for (Ports::Finished& finished : ports.wait())
      machine.answer(finished.id, std::move(finished.answer), since_boot_ms());
  }
}

/// Has what is wrong with the parameters said before anything is done. A stop does not ask for it.
bool is_refused(const Environment& environment, bool validates, Journal& journal) {
  const Order::Action action = environment.order.action;
  const bool heeds =
      validates || action == Order::Action::kStart || action == Order::Action::kReload;
  if (!heeds || !environment.refusal) return false;
  journal.write({Note::Level::kReason, environment.refusal->why});
  return true;
}

int run(const std::string& action) {
  ::signal(SIGPIPE, SIG_IGN);  // whoever reads what is said may have gone
  const bool validates = action == "validate-all";
  auto environment = read_environment(validates ? "monitor" : action);
  if (!environment) {
    fmt::print(stderr, "usage: tandem-agent ACTION, with OCF's environment\n");
    return kUnimplemented;
  }
  Order& order = environment->order;
  const bool keeps = order.action == Order::Action::kKeep;
  Journal journal(order.settings.instance);
  if (is_refused(*environment, validates, journal))
    return static_cast<int>(environment->refusal->kind);
  if (validates) return 0;
  ProcessLock alone(environment->places.state + ".keeper");
  if (keeps && !alone.try_lock()) return 0;
  if (!keeps) make_folder_of(environment->places.state);
  const std::int64_t began_ms = since_boot_ms();
  const bool told = is_answered_at_once(order);
  StateFile state(environment->places.state + ".state");
  if (told) {
    order.turn = state.read().turn;
    answer_and_go_on(Exit::kSuccess, nullptr, journal);
  }
  end_tools_at_sigterm();
  ProcessLock lock(environment->places.state + ".lock");
  if (!keeps && !take_lock(lock, order, told)) {
    if (told) return 0;
    order.only_looks = true;
  }
  if (const std::string problem = lock.problem(); !problem.empty())
    journal.write({Note::Level::kReason, "nothing can be remembered: " + problem});
  Ports ports(*environment, state, lock);
  Memory memory = state.read();
  if (lock.is_held() && take_over_former_agent(environment->places.state)) memory.started = true;
  Machine machine(order, std::move(memory), began_ms, random_seed());
  const Exit exit = drive(machine, ports, state, lock, journal, keeps, told);
  return static_cast<int>(exit);
}

}  // namespace

}  // namespace tandem::agent

int main(int argc, char** argv) {
  try {
    return tandem::agent::run(argc > 1 ? argv[1] : "");
  } catch (const std::exception& error) {
    fmt::print(stderr, "tandem-agent: {}\n", error.what());
    return 1;
  }
}
