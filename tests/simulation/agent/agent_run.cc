#include "tests/simulation/agent/agent_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "protocol/json/json_reader.h"
#include "tests/simulation/client_call.h"

namespace tandem::simulation {

AgentRun::AgentRun(std::uint64_t seed, const Guards& guards)
    : world_(seed),
      guards_(guards),
      scenario_(AgentScenario::drawn_from(world_)),
      network_(hosts_),
      pacemaker_(
          world_, scenario_.hosts, scenario_.pacemaker,
          [this](std::size_t i, pacemaker::ClusterTools& tools) { return make_agent(i, tools); }),
      promises_(world_, scenario_, hosts_, pacemaker_) {
  for (std::size_t i = 0; i < scenario_.hosts; ++i) make_host(i);
}

AgentRun::~AgentRun() { world_.end(); }

void AgentRun::make_host(std::size_t i) {
  hosts_.push_back(std::make_unique<Host>());
  Host& host = *hosts_.back();
  host.index = i;
  host.name = pacemaker_.name(i);
  host.has_address = [this, i] { return pacemaker_.has_address(i); };
  for (const agent::Which which : agent::kBoth) {
    host.servers[which] = std::make_unique<SimulatedServer>(
        world_, network_, i, which, scenario_.servers[which], ledger_, guards_,
        SimulatedServer::Watchers{
            [&host] {
              if (host.agent != nullptr) host.agent->server_lost();
            },
            [this, &host, which] { promises_.promoted(host, which); },
            [this](const std::string& promise) { promises_.broken(promise); }});
  }
}

std::unique_ptr<pacemaker::NodeAgent> AgentRun::make_agent(std::size_t i,
                                                           pacemaker::ClusterTools& tools) {
  Host& host = *hosts_[i];
  auto agent = std::make_unique<AgentHost>(world_, host, tools, scenario_.settings,
                                           scenario_.agents, guards_);
  host.agent = agent.get();
  return agent;
}

std::vector<std::string> AgentRun::run() {
  if (scenario_.fencing) {
    pacemaker_.set_fencing([this](std::size_t i) {
      world_.trace(hosts_[i]->name, "is fenced");
      power_off(*hosts_[i]);
    });
  }
  for (const auto& host : hosts_) boot(*host);
  look();
  write();
  world_.run_until(30'000);
  fault();
  world_.run_until(30'000 + kFaultsMs);
  come_to_rest();
  const std::int64_t end = world_.now_ms() + kQuietMs;
  for (int well = 0; world_.now_ms() < end && well < 3;) {
    world_.run_until(world_.now_ms() + 1000);
    well = settled() ? well + 1 : 0;
  }
  check();
  return promises_.all_broken();
}

void AgentRun::look() {
  world_.after(Promises::kLookMs, [this] { look(); });
  promises_.look();
  for (const auto& host : hosts_) {
    if (host->agent == nullptr || host->agent->complaint().empty()) continue;
    promises_.broken(host->agent->take_complaint());
  }
}

// --- clients ---

void AgentRun::write() {
  world_.after(50 + world_.ms(600), [this] { write(); });
  for (const auto& host : hosts_) {
    for (const agent::Which which : agent::kBoth) {
      if (host->servers[which]->is_writable() && world_.chance(70)) submit(*host, which);
    }
  }
}

void AgentRun::submit(Host& host, agent::Which which) {
  const std::int64_t number = ++last_number_;
  const bool durable = world_.chance(50);
  const std::string& database = host.servers[which]->database();
  std::string operations =
      fmt::format(R"({{"op":"insert","table":"t","row":{{"s":"new","n":{}}}}})", number);
  if (durable) operations += R"(,{"op":"commit","durable":true})";
  auto call = std::make_unique<ClientCall>();
  Process& process = *host.servers[which]->node().process;
  call->mailbox = &process.hub->mailbox();
  call->session = SessionId{1'000'000 + static_cast<std::uint64_t>(number)};
  call->database = database;
  call->request = parse_json("[\"" + database + "\"," + operations + "]").value();
  call->params = call->request;
  call->succeeded = [this, &host, which, number, durable](bool) {
    promises_.acknowledged(host, which, number, durable);
  };
  process.server.submit(
      [&process, call = std::move(call)]() mutable { process.server.transact(std::move(call)); },
      process.shard);
}

// --- the end ---

/// All machines are up, all reach each other, and nobody does anything any more.
void AgentRun::come_to_rest() {
  quiet_ = true;
  moves_before_quiet_ = promises_.moves();
  world_.trace("all", "is quiet");
  scenario_.agents = {};
  pacemaker_.set_quiet();
  network_.heal();
  pacemaker_.heal();
  pacemaker_.set_maintenance(false);
  const bool forgets = world_.chance(50);
  for (const auto& host : hosts_) {
    host->slow_until_ms = 0;
    pacemaker_.set_hung(host->index, false);
    pacemaker_.set_attrd_silent(host->index, false);
    pacemaker_.configure(host->index, [forgets](pacemaker::NodeState& node) {
      node.standby = false;
      node.databases_preference = {};
      // With a ban nobody may be left that has everything.
      if (!forgets || node.promoted_preference.is_ban()) node.promoted_preference = {};
    });
    for (const agent::Which which : agent::kBoth) {
      SimulatedServer& server = *host->servers[which];
      server.node().disk.heal_all();
      server.node().disk.set_capacity(UINT64_MAX);
      server.node().hanging.answer();
      server.set_stopped(false);
      // A log that could not be synced takes no more, until the server starts anew.
      const bool is_stuck = server.answers() && server.node().process->look([&] {
        return server.node().process->database(server.database()).stored->log()->health().stopped;
      });
      if (is_stuck) server.kill();
    }
    if (!host->is_up) boot(*host);
  }
  world_.after(45'000, [this] { pacemaker_.clean_up(); });
}

/// The host that is active in both, if all is as it should be.
std::optional<std::size_t> AgentRun::settled() {
  std::optional<std::size_t> active;
  for (const auto& host : hosts_) {
    if (!host->is_up) return std::nullopt;
    const bool nb = host->servers[agent::Which::kNb]->is_writable();
    const bool sb = host->servers[agent::Which::kSb]->is_writable();
    if (nb != sb || (nb && active)) return std::nullopt;
    if (nb) active = host->index;
  }
  if (!active || !pacemaker_.has_address(*active)) return std::nullopt;
  for (const auto& host : hosts_) {
    if (host->index == *active) continue;
    for (const agent::Which which : agent::kBoth) {
      SimulatedServer& server = *host->servers[which];
      if (!server.answers()) return std::nullopt;
      const auto followers = server.node().process->followers();
      const auto follower = followers.find(server.database());
      if (follower == followers.end() ||
          follower->second.state != FollowerStatus::State::kReplicating)
        return std::nullopt;
    }
  }
  return active;
}

void AgentRun::check() {
  const std::optional<std::size_t> active = settled();
  if (!active) {
    std::string how;
    for (const auto& host : hosts_) {
      for (const agent::Which which : agent::kBoth) {
        SimulatedServer& server = *host->servers[which];
        how += fmt::format(" {} {}: {}", host->name, agent::name_of(which),
                           !host->is_up                ? "off"
                           : !server.node().is_up()    ? "gone"
                           : server.is_writable()      ? "writable"
                           : server.node().is_active() ? "expired"
                                                       : "backup");
      }
    }
    return promises_.broken("not one active with all others following it:" + how);
  }
  check_growth();
  check_moves();
  for (const agent::Which which : agent::kBoth)
    promises_.check_end(which, hosts_[*active]->servers[which]->node().contents(
                                   hosts_[*active]->servers[which]->database()));
}

/// A fault may move the role away and back, and on where the first choice cannot have it.
void AgentRun::check_moves() {
  if (promises_.moves() > kMostMoves * (faults_ + 1)) promises_.broken("the role flaps");
  if (promises_.moves() - moves_before_quiet_ > kMostMoves)
    promises_.broken("the role flaps while all is quiet");
}

void AgentRun::check_growth() {
  for (const auto& host : hosts_) {
    if (pacemaker_.attribute_names(host->index) > 2) promises_.broken("attributes grow");
    if (pacemaker_.properties(host->index) > 2) promises_.broken("properties grow");
    if (host->agent->ports().longest_attribute() > 200) promises_.broken("an attribute grows");
    if (host->agent->memory().to_text().size() > 2000) promises_.broken("the memory grows");
  }
}

}  // namespace tandem::simulation
