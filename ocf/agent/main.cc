// tandem-agent: one action of the OCF agent, or the keeper. ocf/ovndb-servers executes it.

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <random>

#include "ocf/agent/decision/actions.h"
#include "ocf/agent/decision/machine.h"
#include "ocf/agent/ports/environment.h"
#include "ocf/agent/ports/journal.h"
#include "ocf/agent/ports/ports.h"
#include "ocf/agent/ports/state_file.h"

namespace tandem::agent {

namespace {

constexpr int kUnimplemented = 3;
/// An action waits so long at most for what an earlier one has left to be done.
constexpr std::int64_t kPatienceMs = 10'000;

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
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

/// Takes the machine's steps until there is nothing more to do. Returns its answer.
Exit drive(Machine& machine, Ports& ports, StateFile& state, ProcessLock& lock, Journal& journal,
           bool keeps, bool told) {
  for (;;) {
    for (const Note& note : machine.take_notes()) journal.write(note);
    if (!keeps) state.write(machine.memory());
    if (machine.finished()) return machine.exit_code().value_or(Exit::kSuccess);
    if (!told && machine.exit_code() && ports.idle()) {
      answer_and_go_on(*machine.exit_code(), &lock, journal);
      told = true;
    }
    for (Step& step : machine.take_steps()) {
      // The keeper writes only while it holds the lock.
      if (keeps && std::holds_alternative<ReleaseLock>(step.what)) state.write(machine.memory());
      ports.begin(std::move(step));
    }
    for (Ports::Finished& finished : ports.wait())
      machine.answer(finished.id, std::move(finished.answer), boot_ms());
  }
}

int run(const std::string& action) {
  const auto environment = read_environment(action);
  if (!environment) {
    fmt::print(stderr, "usage: tandem-agent ACTION, with OCF's environment\n");
    return kUnimplemented;
  }
  const Order& order = environment->order;
  const bool keeps = order.action == Order::Action::kKeep;
  Journal journal(order.settings.instance);
  ProcessLock alone(environment->places.state + ".keeper");
  if (keeps && !alone.try_lock()) return 0;
  const std::int64_t began_ms = boot_ms();
  const bool told = is_answered_at_once(order);
  if (told) answer_and_go_on(Exit::kSuccess, nullptr, journal);
  ProcessLock lock(environment->places.state + ".lock");
  if (!keeps) lock.lock(patience_ms(order));
  StateFile state(environment->places.state + ".state");
  Ports ports(*environment, state, lock);
  Machine machine(order, state.read(), began_ms, random_seed());
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
