#include "tests/simulation/agent/agent_host.h"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "ocf/agent/decision/actions.h"
#include "tests/simulation/agent/host.h"

namespace tandem::simulation {

using agent::Answer;
using agent::Order;
using Outcome = agent::Answer::Outcome;

namespace {

// As main.cc has them.
constexpr std::int64_t kPatienceMs = 10'000;
constexpr std::int64_t kPatienceOfNobodyMs = 60'000;
constexpr std::int64_t kPollMs = 20;

Order::Action action_of(pacemaker::Request::Action action) {
  using Of = pacemaker::Request::Action;
  switch (action) {
    case Of::kStart:
      return Order::Action::kStart;
    case Of::kStop:
      return Order::Action::kStop;
    case Of::kPromote:
      return Order::Action::kPromote;
    case Of::kDemote:
      return Order::Action::kDemote;
    case Of::kMonitor:
      return Order::Action::kMonitor;
    case Of::kNotify:
      return Order::Action::kNotify;
  }
  return Order::Action::kMonitor;
}

/// Notifications that ocf/ovndb-servers answers by itself.
bool needs_nothing(const pacemaker::Request& request, const std::string& node) {
  if (request.action != pacemaker::Request::Action::kNotify) return false;
  if (request.operation == "promote") return false;
  if (!request.before) return !request.promote.empty();
  return request.operation != "demote" || !agent::contains(request.demote, node);
}

}  // namespace

bool AgentHost::is_full_copy() const {
  std::istringstream names(ports_.tools().property("copies-" + settings_.instance).value_or(""));
  for (std::string name; names >> name;)
    if (name == host_.name) return true;
  return false;
}

Order AgentHost::order_of(const pacemaker::Request& request) const {
  Order order;
  order.action = action_of(request.action);
  order.node = order.attributes_host = host_.name;
  order.timeout_ms = request.timeout_ms;
  order.interval_ms = request.interval_ms;
  order.promoted = request.promoted;
  order.before = request.before;
  order.operation = request.operation;
  order.starting = request.start;
  order.stopping = request.stop;
  order.promoting = request.promote;
  order.demoting = request.demote;
  order.promoted_nodes = request.promoted_nodes;
  order.unpromoted_nodes = request.unpromoted_nodes;
  order.settings = settings_;
  return order;
}

// --- processes ---

void AgentHost::begin(const pacemaker::Request& request, Done done) {
  if (needs_nothing(request, host_.name)) {
    return later(2 + world_.ms(4), [done] { done(pacemaker::Ocf::kSuccess); });
  }
  Order order = order_of(request);
  const bool told = agent::is_answered_at_once(order);
  if (told) {
    order.turn = memory_.turn;
    done(pacemaker::Ocf::kSuccess);
    done = nullptr;
  }
  const Id id = run(std::move(order), std::move(done), false);
  if (!told) asked_ = id;
}

AgentHost::Id AgentHost::run(Order order, Done done, bool keeps) {
  const Id id = ++last_id_;
  const bool told = !done;
  const bool ends_role =
      order.action == Order::Action::kStop || order.action == Order::Action::kDemote;
  const std::int64_t patience_ms = told        ? kPatienceOfNobodyMs
                                   : ends_role ? 0
                                               : std::min(kPatienceMs, order.budget_ms() / 2);
  programs_.emplace(id, Program{std::move(order), std::move(done), keeps, world_.now_ms()});
  if (keeps) {
    later(5, [this, id] { begin_machine(id); });
    return id;
  }
  if (!told && world_.chance(faults_.frozen)) {
    later(world_.ms(1500), [this, id] {
      if (asked_ != id) return;
      programs_.at(id).frozen = true;
      froze_at_ms_ = world_.now_ms();
      world_.trace(host_.name, "an action of the agent stops");
    });
  }
  later(3 + world_.ms(world_.chance(faults_.slow_starts) ? 3000 : 6),
        [this, id, end_ms = world_.now_ms() + patience_ms] { take_lock(id, end_ms); });
  return id;
}

/// One that only looks, or for which nobody waits, ends nobody else's work.
void AgentHost::take_lock(Id id, std::int64_t patience_end_ms) {
  const auto found = programs_.find(id);
  if (found == programs_.end()) return;
  if (found->second.frozen) return;
  if (!locked_by_) {
    locked_by_ = id;
    return begin_machine(id);
  }
  if (world_.now_ms() >= patience_end_ms) {
    Program& program = found->second;
    if (!program.done) return end(id);
    if (program.order.action == Order::Action::kMonitor) {
      program.order.only_looks = true;
      return begin_machine(id);
    }
    world_.trace(host_.name, "agent: ends the holder of the lock");
    end(*locked_by_);
  }
  later(kPollMs, [this, id, patience_end_ms] { take_lock(id, patience_end_ms); });
}

void AgentHost::begin_machine(Id id) {
  const auto found = programs_.find(id);
  if (found == programs_.end()) return;
  Program& program = found->second;
  program.machine = std::make_unique<agent::Machine>(program.order, memory_, program.began_ms,
                                                     world_.random(UINT32_MAX));
  go_on(id);
}

void AgentHost::end(Id id) {
  programs_.erase(id);
  if (locked_by_ == id) locked_by_.reset();
  if (asked_ == id) asked_.reset();
  if (keeper_ == id) {
    keeper_.reset();
    watcher_ = nullptr;
    watched_ = {};
  }
}

void AgentHost::kill() {
  if (!asked_) return;
  const Program& program = programs_.at(*asked_);
  // Pacemaker may have been late with it.
  const bool had_its_time = world_.now_ms() >= program.began_ms + program.order.timeout_ms - 100;
  if (!program.frozen && had_its_time) complain(*asked_, "exceeds its timeout");
  end(*asked_);
}

void AgentHost::complain(Id id, const std::string& what) {
  const Order& order = programs_.at(id).order;
  complaint_ = fmt::format("at {}: action {} ({} {}) of {} {}", world_.now_ms(),
                           static_cast<int>(order.action), order.before ? "before" : "after",
                           order.operation, host_.name, what);
  world_.trace(host_.name, complaint_);
}

// --- the machine ---

void AgentHost::go_on(Id id) {
  Program& program = programs_.at(id);
  for (const agent::Note& note : program.machine->take_notes())
    world_.trace(host_.name, "agent: " + note.text);
  if (!program.keeps && locked_by_ == id) memory_ = program.machine->memory();
  if (program.machine->finished()) {
    answer_pacemaker(program);
    return end(id);
  }
  if (program.machine->exit_code() && program.open == 0) {
    answer_pacemaker(program);
    if (asked_ == id) {
      asked_.reset();
      if (world_.chance(faults_.ends_early)) later(world_.ms(500), [this, id] { end(id); });
    }
  }
  std::vector<agent::Step> steps = program.machine->take_steps();
  if (steps.empty() && program.open == 0) {
    complain(id, "waits for nothing");
    answer_pacemaker(program);
    return end(id);
  }
  program.open += steps.size();
  for (agent::Step& step : steps) begin_step(id, std::move(step));
}

void AgentHost::answer_pacemaker(Program& program) {
  const agent::Exit exit = program.machine->exit_code().value_or(agent::Exit::kSuccess);
  if (const Done done = std::exchange(program.done, nullptr))
    done(static_cast<pacemaker::Ocf>(exit));
}

void AgentHost::answered(Id id, std::uint64_t step, Answer answer) {
  const auto found = programs_.find(id);
  if (found == programs_.end() || found->second.frozen) return;
  --found->second.open;
  found->second.machine->answer(step, std::move(answer), world_.now_ms());
  go_on(id);
}

// --- steps ---

void AgentHost::begin_step(Id id, agent::Step step) {
  const SimulatedPorts::Take take = [this, alive = std::weak_ptr(alive_), id,
                                     number = step.id](Answer answer) {
    if (!alive.expired()) answered(id, number, std::move(answer));
  };
  if (!begin_own(id, step, take)) ports_.begin(step, take);
}

/// The steps that are about this process. False: it is another one.
bool AgentHost::begin_own(Id id, const agent::Step& step, const SimulatedPorts::Take& take) {
  const auto soon = [&](Answer answer) {
    later(1, [take, answer = std::move(answer)] { take(answer); });
  };
  if (std::holds_alternative<agent::StartKeeper>(step.what)) {
    if (!keeper_) {
      Order order = programs_.at(id).order;
      order.action = Order::Action::kKeep;
      keeper_ = run(std::move(order), nullptr, true);
    }
    soon({Outcome::kDone, "", {}});
  } else if (std::holds_alternative<agent::EndKeeper>(step.what)) {
    if (keeper_) end(*keeper_);
    soon({Outcome::kDone, "", {}});
  } else if (std::holds_alternative<agent::TakeLock>(step.what)) {
    if (!locked_by_) locked_by_ = id;
    soon({locked_by_ == id ? Outcome::kDone : Outcome::kRefused, "", {}});
  } else if (std::holds_alternative<agent::ReleaseLock>(step.what)) {
    if (locked_by_ == id) {
      memory_ = programs_.at(id).machine->memory();
      locked_by_.reset();
    }
    soon({Outcome::kDone, "", {}});
  } else if (std::holds_alternative<agent::ReadMemory>(step.what)) {
    soon({Outcome::kDone, memory_.to_text(), {}});
  } else if (std::holds_alternative<agent::Watch>(step.what)) {
    const auto once = std::make_shared<SimulatedPorts::Take>(take);
    const SimulatedPorts::Take give = [once](Answer answer) {
      if (const SimulatedPorts::Take taker = std::exchange(*once, nullptr))
        taker(std::move(answer));
    };
    later(step.limit_ms, [give] { give({}); });
    watch(id, give);
  } else {
    return false;
  }
  return true;
}

void AgentHost::watch(Id /*id*/, const SimulatedPorts::Take& take) {
  for (const agent::Which which : agent::kBoth) {
    SimulatedServer& server = *host_.servers[which];
    if (watched_[which] == 0 && server.node().is_up()) watched_[which] = server.node().starts();
  }
  watcher_ = take;
  server_lost();
}

void AgentHost::server_lost() {
  if (!watcher_) return;
  const std::optional<Answer> seen = look_at_watched();
  if (!seen) return;
  later(1, [take = std::exchange(watcher_, nullptr), answer = *seen] { take(answer); });
}

std::optional<Answer> AgentHost::look_at_watched() {
  bool lost = false;
  bool monitored = true;
  for (const agent::Which which : agent::kBoth) {
    SimulatedServer& server = *host_.servers[which];
    const bool was_held = watched_[which] != 0;
    if (was_held && server.node().is_up() && server.node().starts() == watched_[which]) continue;
    lost = true;
    if (!was_held || server.state() == SimulatedServer::State::kGone) monitored = false;
    watched_[which] = 0;
  }
  if (!lost) return std::nullopt;
  return Answer{Outcome::kDone, monitored ? "monitored" : "", {}};
}

}  // namespace tandem::simulation
