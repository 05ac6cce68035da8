#include "tests/simulation/agent/simulated_server.h"

#include <charconv>
#include <utility>

#include "server/control/tandem_commands.h"

namespace tandem::simulation {
namespace {

using Outcome = agent::Answer::Outcome;

/// How long a server waits for its writer before it says that it is busy.
constexpr std::int64_t kPatienceMs = Errands::kPatienceMs;

/// The value of an option among the words, or nothing.
std::optional<std::string> option(const std::vector<std::string>& words, const std::string& name) {
  for (const std::string& word : words) {
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  }
  return std::nullopt;
}

/// Takes an option and its value out.
void leave_out(control::Arguments& arguments, const std::string& name) {
  const auto found = std::find(arguments.begin(), arguments.end(), name);
  if (found != arguments.end()) arguments.erase(found, found + 2);
}

}  // namespace

SimulatedServer::SimulatedServer(World& world, Network& network, std::size_t host,
                                 agent::Which which, const Scenario& scenario, Ledger& ledger,
                                 const Guards& guards, Watchers watchers)
    : world_(world),
      network_(network),
      host_(host),
      which_(which),
      node_(world, scenario, ledger, host),
      watchers_(std::move(watchers)) {
  node_.guards = guards;
  add_commands();
}

// --- the process ---

std::shared_ptr<const Source> SimulatedServer::source(Epoch least_epoch) const {
  return std::make_shared<Source>(
      Source{active_server_,
             [this, remote = active_server_] { return network_.reach(host_, which_, remote); },
             least_epoch});
}

Result<void> SimulatedServer::start(const std::vector<std::string>& words) {
  if (state_ != State::kGone) return {};
  if (node_.hanging.hangs())
    return control::command_error("the one before was killed, and its disk hangs");
  const std::string prefix = "--db-" + agent::name_of(which_) + "-sync-from-";
  active_server_ = option(words, prefix + "proto").value_or("tcp") + ":" +
                   option(words, prefix + "addr").value_or("") + ":" +
                   option(words, prefix + "port").value_or("");
  sync_.replicas =
      static_cast<unsigned>(std::stoul(option(words, "--sync-replicas").value_or("0")));
  sync_.block = option(words, "--sync-fallback") == "block";
  try {
    node_.start(KeptRole{false, Lease{}, source({})});
  } catch (const std::exception& error) {
    node_.kill();
    return control::command_error(error.what());
  }
  state_ = State::kRuns;
  apply_sync();
  return {};
}

void SimulatedServer::kill() {
  if (std::exchange(state_, State::kGone) == State::kGone) return;
  node_.kill();
  watchers_.lost();
}

void SimulatedServer::crash() {
  if (state_ != State::kRuns && state_ != State::kStopped) return;
  state_ = State::kRestarting;
  node_.kill();
  watchers_.lost();
  restart();
}

/// The kernel does not end one that waits for its disk.
void SimulatedServer::restart() {
  world_.after(20 + world_.ms(1000), [this, starts = node_.starts()] {
    if (state_ != State::kRestarting || starts != node_.starts()) return;
    if (node_.hanging.hangs()) return restart();
    try {
      node_.start(node_.kept);
    } catch (const std::exception&) {
      node_.kill();
      state_ = State::kGone;
      return;
    }
    state_ = State::kRuns;
    apply_sync();
  });
}

bool SimulatedServer::damage() {
  if (state_ != State::kGone && state_ != State::kRestarting) return false;
  if (!node_.damage_file(database())) return false;
  damaged_ = true;
  return true;
}

bool SimulatedServer::is_damaged() {
  if (damaged_ && answers() && node_.process->role.state() == RoleState::kBackup &&
      !node_.is_damaged())
    damaged_ = false;
  return damaged_;
}

void SimulatedServer::set_stopped(bool stopped) {
  if (state_ != (stopped ? State::kRuns : State::kStopped)) return;
  state_ = stopped ? State::kStopped : State::kRuns;
  node_.process->shard.set_stopped(stopped);
}

// --- control commands ---

void SimulatedServer::add_commands() {
  control::add_tandem_commands(commands_, *this);
  commands_.add("exit", "", 0, 0, [this](const control::Arguments&, const control::Reply& reply) {
    reply.done();
    world_.after(5 + world_.ms(100), [this, starts = node_.starts()] {
      if (starts == node_.starts()) kill();
    });
  });
  commands_.add("ovsdb-server/get-active-ovsdb-server", "", 0, 0,
                [this](const control::Arguments&, const control::Reply& reply) {
                  reply.text(active_server_ + "\n");
                });
}

void SimulatedServer::ask(const std::string& command, control::Arguments arguments,
                          std::function<void(agent::Answer)> take) {
  if (state_ == State::kStopped) return;
  if (state_ != State::kRuns) return take({Outcome::kNotThere, "", {}});
  if (command == "tandem/promote" && !node_.guards.least) leave_out(arguments, "--least");
  if (command == "tandem/promote" && !node_.guards.damage) arguments.emplace_back("--damaged");
  if (command == "tandem/lease" && !node_.guards.lease_epoch) leave_out(arguments, "--epoch");
  static_cast<void>(is_damaged());  // it may have got well since the last look
  take = watched(command, std::move(take));
  world_.trace(node_.name, agent::name_of(which_) + " " + command);
  commands_.run(command, arguments, control::Reply([take](const Result<std::string>& result) {
                  if (result) return take({Outcome::kDone, *result, {}});
                  take({Outcome::kRefused, result.error().to_string(), {}});
                }));
}

std::function<void(agent::Answer)> SimulatedServer::watched(
    const std::string& command, std::function<void(agent::Answer)> take) {
  if (!node_.hanging.holds_writes()) return take;
  const auto answered = std::make_shared<bool>(false);
  world_.after(kPatienceMs + 200, [this, command, answered, starts = node_.starts()] {
    if (!*answered && answers() && starts == node_.starts() && node_.hanging.holds_writes())
      watchers_.broken(node_.name + " does not answer " + command + " while its disk hangs");
  });
  return [answered, take = std::move(take)](agent::Answer answer) {
    *answered = true;
    take(std::move(answer));
  };
}

void SimulatedServer::when_writer_answers(std::function<void()> then,
                                          std::function<void(const Error&)> otherwise) {
  if (!node_.hanging.holds_writes()) return then();
  const auto settled = std::make_shared<bool>(false);
  node_.hanging.wait([settled, then = std::move(then)] {
    if (!std::exchange(*settled, true)) then();
  });
  if (!node_.guards.patience) return;
  call_later(kPatienceMs, [settled, otherwise = std::move(otherwise)] {
    if (!std::exchange(*settled, true)) otherwise(control::command_error("the server is busy"));
  });
}

/// For a moment it waits for a busy writer.
void SimulatedServer::refresh(std::function<void(bool fresh)> then) {
  if (!node_.hanging.holds_writes()) return then(true);
  call_later(500, [then = std::move(then)] { then(false); });
}

control::ServerStatus SimulatedServer::status() {
  Process& process = *node_.process;
  control::ServerStatus status;
  status.server_id = process.server.server_id().to_string();
  status.now_ms = node_.clock.monotonic_ms();
  status.now_wall_ms = node_.clock.wall_ms();
  status.role = process.role.state();
  status.lease = process.role.lease();
  status.sync = sync_;
  status.node_name = node_.name;
  status.active_server = active_server_;
  control::DatabaseStatus database;
  database.name = this->database();
  database.entry.position = node_.position(database.name);
  database.health = node_.health(database.name);
  process.look([&] {
    const ServedDatabase& served = process.database(database.name);
    database.backup = served.is_backup();
    database.entry.info = served.info;
    database.entry.history_start = served.stored->history().oldest_position();
    database.entry.gate = served.gate.status();
    database.entry.followers = served.gate.followers();
    return 0;
  });
  if (database.backup) {
    database.source = active_server_;
    const auto followers = process.followers();
    const auto found = followers.find(database.name);
    if (found != followers.end()) database.follower = found->second;
  }
  status.databases.push_back(std::move(database));
  return status;
}

void SimulatedServer::promote(const Promotion& promotion, control::Done done) {
  const auto promote = [this, promotion, done] {
    PromotionWanted wanted{.force = promotion.force,
                           .above = promotion.above,
                           .least = promotion.least,
                           .give_up_damaged = promotion.give_up_damaged};
    wanted.epoch = node_.process->role.epoch();
    node_.process->role.promote(wanted, [this, done](const Result<std::string>& result) {
      if (result) watchers_.promoted();
      done(result ? Result<void>() : Result<void>(result.error()));
    });
  };
  when_writer_answers(promote, done);
}

void SimulatedServer::demote(const Demotion& demotion, control::DoneWithText done) {
  const auto demote = [this, demotion, done] {
    if (!demotion.active.empty()) active_server_ = demotion.active;
    DemotionWanted wanted;
    wanted.follows = active_server_;
    wanted.depose = demotion.depose;
    wanted.successor = demotion.successor;
    wanted.if_drained = demotion.if_drained;
    node_.process->role.demote(wanted, source(demotion.least_epoch), done);
  };
  when_writer_answers(demote, done);
}

void SimulatedServer::set_sync(const control::SyncSettings& settings) {
  sync_ = settings;
  apply_sync();
}

void SimulatedServer::apply_sync() {
  const CommitGate::Options gate{
      sync_.replicas, sync_.timeout_ms,
      sync_.block ? CommitGate::Fallback::kBlock : CommitGate::Fallback::kAsync};
  node_.process->have_written(
      [this, gate] {
        node_.process->server.set_sync(gate);
        return 0;
      },
      [](int) {});
}

void SimulatedServer::call_later(std::int64_t delay_ms, std::function<void()> task) {
  world_.after(delay_ms, [this, starts = node_.starts(), task = std::move(task)] {
    if (node_.is_up() && starts == node_.starts()) task();
  });
}

}  // namespace tandem::simulation
