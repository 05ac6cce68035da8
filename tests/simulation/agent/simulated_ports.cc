#include "tests/simulation/agent/simulated_ports.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "ocf/agent/decision/bulletin.h"
#include "ocf/agent/decision/cluster.h"
#include "tests/simulation/agent/host.h"

namespace tandem::simulation {

using agent::Answer;
using Outcome = agent::Answer::Outcome;
using State = SimulatedServer::State;

void SimulatedPorts::soon(std::int64_t most_ms, std::function<void()> then) {
  const bool slow = host_.slow_until_ms > world_.now_ms() && world_.chance(30);
  world_.after(1 + world_.ms(slow ? 1000 : most_ms),
               [alive = std::weak_ptr(alive_), then = std::move(then)] {
                 if (!alive.expired()) then();
               });
}

void SimulatedPorts::begin(const agent::Step& step, Take take) {
  const auto once = std::make_shared<Take>(std::move(take));
  const Take give = [once](Answer answer) {
    if (const Take taker = std::exchange(*once, nullptr)) taker(std::move(answer));
  };
  world_.after(step.limit_ms, [give] { give({}); });
  std::visit([this, &give](const auto& what) { this->take(what, give); }, step.what);
}

// --- servers ---

void SimulatedPorts::take(const agent::AskServer& step, Take take) {
  soon(4,
       [this, step, take] { host_.servers[step.which]->ask(step.command, step.arguments, take); });
}

void SimulatedPorts::take(const agent::LookAtServer& step, Take take) {
  soon(3, [this, step, take] {
    switch (host_.servers[step.which]->state()) {
      case State::kGone:
        return take({Outcome::kNotThere, "", {}});
      case State::kRuns:
        return take({Outcome::kDone, "running tandem listens", {}});
      case State::kStopped:
        return take({Outcome::kDone, "stopped tandem listens", {}});
      case State::kRestarting:
        return take({Outcome::kDone, "restarting tandem", {}});
    }
  });
}

void SimulatedPorts::take(const agent::StartServer& step, Take take) {
  world_.after(80 + world_.ms(400), [this, alive = std::weak_ptr(alive_), step, take] {
    if (alive.expired()) return;
    const Result<void> started = host_.servers[step.which]->start(step.arguments);
    if (started) return take({Outcome::kDone, "", {}});
    take({Outcome::kRefused, started.error().to_string(), {}});
  });
}

void SimulatedPorts::await_end(agent::Which which, std::uint64_t process, const Take& take) {
  SimulatedServer& server = *host_.servers[which];
  if (server.state() == State::kGone || server.node().starts() != process)
    return take({Outcome::kDone, "", {}});
  soon(20, [this, which, process, take] { await_end(which, process, take); });
}

void SimulatedPorts::take(const agent::AwaitServerEnd& step, Take take) {
  await_end(step.which, host_.servers[step.which]->node().starts(), take);
}

void SimulatedPorts::take(const agent::KillServer& step, Take take) {
  soon(20, [this, step, take] {
    host_.servers[step.which]->kill();
    take({Outcome::kDone, "", {}});
  });
}

/// The Connection row is as it should be.
void SimulatedPorts::take(const agent::RunCtl& step, Take take) {
  soon(20, [this, step, take] {
    if (!host_.servers[step.which]->answers()) return take({Outcome::kRefused, "no answer", {}});
    const bool lists =
        std::find(step.arguments.begin(), step.arguments.end(), "list") != step.arguments.end();
    take({Outcome::kDone, lists ? "0,ptcp,5000,owner=ovndb-servers\n" : "", {}});
  });
}

// --- the cluster ---

/// With a guard left out agents know less of others.
std::string SimulatedPorts::masked(const std::string& host, std::string text) const {
  if (!guards_.round_trip && host == host_.name) return own_notice_;
  if (guards_.other_active && guards_.in_sync && guards_.comparison) return text;
  auto notice = agent::Notice::parse(text, host);
  if (!notice || host == host_.name) return text;
  if (!guards_.other_active && notice->word == agent::Notice::Word::kActive)
    notice->word = agent::Notice::Word::kCut;
  for (const agent::Which which : agent::kBoth) {
    auto& database = notice->copy.databases[which];
    if (database && !guards_.in_sync) database->in_sync = true;
    if (!guards_.comparison) database.reset();
  }
  return notice->to_text();
}

void SimulatedPorts::take(const agent::ReadAttribute& step, Take take) {
  by_tool([this, step, take] {
    if (!tools_.has_attributes()) return;
    Answer answer{Outcome::kDone, "", {}};
    const bool is_score = step.name == pacemaker::kPromotionScore;
    for (const auto& [host, value] : tools_.attribute(step.name))
      answer.values.emplace_back(host, is_score ? value : masked(host, value));
    take(std::move(answer));
  });
}

void SimulatedPorts::take(const agent::WriteAttribute& step, Take take) {
  by_tool([this, step, take] {
    if (!tools_.has_attributes()) return;
    world_.trace(host_.name, step.name + " = " + step.value);
    longest_attribute_ = std::max(longest_attribute_, step.value.size());
    if (step.name != pacemaker::kPromotionScore) own_notice_ = step.value;
    const bool is_ban = step.name == pacemaker::kPromotionScore && step.value == agent::score::kBan;
    tools_.set_attribute(step.name, is_ban && !guards_.bans ? "-1" : step.value, step.host);
    take({Outcome::kDone, "", {}});
  });
}

void SimulatedPorts::take(const agent::ReadProperty& step, Take take) {
  by_tool([this, step, take] {
    if (step.name == "maintenance-mode")
      return take({Outcome::kDone, tools_.is_maintenance() ? "true" : "false", {}});
    const auto value = tools_.property(step.name);
    take({value ? Outcome::kDone : Outcome::kNotThere, value.value_or(""), {}});
  });
}

void SimulatedPorts::take(const agent::WriteProperty& step, Take take) {
  by_tool([this, step, take] {
    if (tools_.set_property(step.name, step.value)) take({Outcome::kDone, "", {}});
  });
}

void SimulatedPorts::take(const agent::AskManaged& /*step*/, Take take) {
  by_tool([this, take] { take({Outcome::kDone, tools_.is_maintenance() ? "false" : "true", {}}); });
}

void SimulatedPorts::take(const agent::AskCorosync& /*step*/, Take take) {
  by_tool([this, take] {
    const std::optional<bool> quorate =
        guards_.round_trip ? tools_.quorum() : std::optional(tools_.cached_quorum());
    if (quorate) take({*quorate ? Outcome::kDone : Outcome::kRefused, "", {}});
  });
}

void SimulatedPorts::take(const agent::AskController& /*step*/, Take take) {
  by_tool([this, take] { take({Outcome::kDone, tools_.cached_quorum() ? "1" : "0", {}}); });
}

void SimulatedPorts::take(const agent::ReportFailure& /*step*/, Take take) {
  by_tool([this, take] {
    tools_.report_failure();
    take({Outcome::kDone, "", {}});
  });
}

}  // namespace tandem::simulation
