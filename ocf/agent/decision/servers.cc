#include "ocf/agent/decision/servers.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::agent {

namespace {

/// Longer than this is waited for nobody who is alive, so that a part of an action leaves time for
/// the others.
constexpr std::int64_t kPromotionMs = 15'000;
/// A server that is demoted waits so long for the backup that is to be active.
constexpr std::int64_t kDrainMs = 2'500;
constexpr std::int64_t kNoTimeMs = 1;

bool is_unknown_command(const Answer& answer) {
  return answer.outcome == Answer::Outcome::kRefused &&
         answer.text.find("is not a valid command") != std::string::npos;
}

}  // namespace

Epoch least_epoch(const Bulletin& bulletin, Which which, const std::string& node) {
  const Notice* notice = node.empty() ? nullptr : bulletin.of(node);
  if (notice == nullptr || !notice->copy.databases[which]) return Epoch{};
  const Epoch epoch = notice->copy.databases[which]->height.epoch;
  const bool is_next = notice->word == Notice::Word::kFinal;
  return Epoch{static_cast<std::uint64_t>(epoch) + (is_next ? 1 : 0)};
}

// --- how they are ---

Task<> Servers::survey() {
  co_await for_both([&](Which which) { return probe(which); });
}

/// Once without an answer is not enough to be called hung; a server that is just starting gets a
/// moment, too. A stock server answers nothing while it compacts, so it gets half of what is left.
Task<> Servers::probe(Which which) {
  std::optional<ServerState> state = co_await ask_state(which, desk_.settings().control_timeout_ms);
  if (!state) {
    const Answer process = co_await desk_.ask(LookAtServer{which}, 1000);
    state.emplace();
    if (process.outcome == Answer::Outcome::kNotThere) {
      state->role = ServerState::Role::kGone;
      state->was_ended = process.text == "ended";
    } else if (process.text.starts_with("stopped")) {
      state->role = ServerState::Role::kHung;
    } else {
      if (process.text.find("listens") == std::string::npos)
        (void)co_await desk_.ask(Pause{}, 1000);
      const bool stock = process.text.find("stock") != std::string::npos;
      state = co_await ask_state(which,
                                 stock ? std::max<std::int64_t>(1000, desk_.left_ms() / 2) : 1000);
      if (!state) {
        state.emplace();
        state->role = ServerState::Role::kHung;
      }
    }
  }
  if (state->role == ServerState::Role::kBackup && !desk_.memory.stock[which])
    co_await probe_port(which, *state);
  // A backup that replicates has had all, now or a moment ago; so it has when it is cut off later.
  if (state->link == "replicating") desk_.memory.in_sync[which] = true;
  if (state->damaged) desk_.memory.in_sync[which] = false;
  states_[which] = *state;
  if (states_[which].copy) states_[which].copy->in_sync = desk_.memory.in_sync[which];
}

/// A promotion where nobody can connect would open an epoch that no other copy gets.
Task<> Servers::probe_port(Which which, ServerState& state) {
  const std::string& port = desk_.settings().databases[which].port;
  const bool listens =
      std::any_of(state.listening.begin(), state.listening.end(), [&](const std::string& target) {
        return target.ends_with(":" + port) || target.find(":" + port + ":") != std::string::npos;
      });
  if (listens) co_return;
  const Answer answer = co_await desk_.ask(ProbePort{which}, 1000);
  if (answer.outcome == Answer::Outcome::kRefused)
    state.port_problem =
        fmt::format("the {} server could not listen for clients: {}", name_of(which), answer.text);
}

Task<std::optional<ServerState>> Servers::ask_state(Which which, std::int64_t limit_ms) {
  if (!desk_.memory.stock[which]) {
    const Answer answer =
        co_await desk_.ask(command(which, "tandem/status", "--format", "json"), limit_ms);
    if (answer.done()) co_return ServerState::from_status(which, answer.text);
    if (!is_unknown_command(answer)) co_return std::nullopt;
    desk_.memory.stock[which] = true;
  }
  const Answer answer = co_await desk_.ask(command(which, "ovsdb-server/sync-status"), limit_ms);
  if (!answer.done()) co_return std::nullopt;
  co_return ServerState::from_sync_status(answer.text);
}

// --- backups ---

Task<bool> Servers::demote_both(std::string active, const Bulletin& bulletin) {
  Pair<bool> done;
  co_await for_both(
      [&](Which which) { return into(demote(which, active, bulletin), &done[which]); });
  co_return done[Which::kNb] && done[Which::kSb];
}

Task<bool> Servers::demote(Which which, std::string active, const Bulletin& bulletin) {
  const Answer process = co_await desk_.ask(LookAtServer{which}, 1000);
  if (process.outcome != Answer::Outcome::kNotThere) {
    const std::optional<std::string> problem = co_await tell_to_follow(which, active, &bulletin);
    if (!problem) co_return true;
    desk_.warn(
        fmt::format("{} server could not be demoted, killing it: {}", name_of(which), *problem));
    // The sockets of one whose disk hangs outlive it, so they are closed first.
    if (!states_[which].healthy) co_await revoke(which);
    co_await kill(which);
  }
  co_return co_await start(which, active, bulletin, desk_.left_ms());
}

/// One that does not run is no active, and those that wait for the demotion do not wait for it.
Task<bool> Servers::demote_those_that_run(std::string active, const Bulletin& bulletin) {
  Pair<bool> done{true, true};
  std::vector<Task<>> all;
  for (const Which which : kBoth) {
    const Answer process = co_await desk_.ask(LookAtServer{which}, 1000);
    if (process.outcome != Answer::Outcome::kNotThere)
      all.push_back(into(demote(which, active, bulletin), &done[which]));
  }
  co_await Join(std::move(all));
  co_return done[Which::kNb] && done[Which::kSb];
}

Task<> Servers::tell_both_to_follow(std::string active, const Bulletin& bulletin) {
  co_await for_both([&](Which which) { return follow_one(which, active, &bulletin); });
}

Task<> Servers::follow_one(Which which, std::string active, const Bulletin* bulletin) {
  const std::optional<std::string> problem = co_await tell_to_follow(which, active, bulletin);
  if (problem) {
    desk_.warn(fmt::format("{} server could not be told to follow {}: {}", name_of(which),
                           active.empty() ? "nobody" : active, *problem));
  }
}

/// A backup that leaves an active for nobody makes way for a promotion: the active is told, since
/// its agent may not be able to. The problem, if there was one.
Task<std::optional<std::string>> Servers::tell_to_follow(Which which, std::string active,
                                                         const Bulletin* bulletin) {
  const std::string remote = desk_.settings().remote_of_active(which, active);
  if (!desk_.memory.stock[which]) {
    Epoch least = least_epoch(*bulletin, which, active);
    // An active of an earlier epoch was deposed, and does not know it yet.
    const auto& own = states_[which].copy;
    if (own && !active.empty()) least = std::max(least, own->height.epoch);
    std::vector<std::string> arguments = {remote, "--epoch",
                                          fmt::format("{}", static_cast<std::uint64_t>(least))};
    if (active.empty()) {
      arguments.emplace_back("--depose");
    } else {
      arguments.emplace_back("--successor");
      arguments.push_back(active);
    }
    const Answer answer =
        co_await desk_.ask(AskServer{which, "tandem/demote", std::move(arguments)},
                           desk_.settings().control_timeout_ms + kDrainMs);
    if (answer.text.find("lacks ") != std::string::npos)
      desk_.warn(fmt::format("{} server demoted: {}", name_of(which), answer.text));
    if (answer.done()) co_return std::nullopt;
    if (!is_unknown_command(answer)) co_return answer.text.empty() ? "no answer" : answer.text;
    desk_.memory.stock[which] = true;
  }
  co_return co_await demote_stock(which, remote);
}

/// A stock server has no listeners that follow its role, so its remote is removed. It does not
/// connect anew when the address of the active stays the same while its node changes, so it is told
/// an address that nobody has first.
Task<std::optional<std::string>> Servers::demote_stock(Which which, std::string remote) {
  const std::int64_t limit_ms = desk_.settings().control_timeout_ms;
  (void)co_await desk_.ask(
      command(which, "ovsdb-server/remove-remote", desk_.settings().connections_remote(which)),
      limit_ms);
  const std::vector<std::string> remotes = {desk_.settings().remote_of_active(which, ""), remote};
  for (const std::string& each : remotes) {
    const Answer set =
        co_await desk_.ask(command(which, "ovsdb-server/set-active-ovsdb-server", each), limit_ms);
    if (!set.done()) co_return "no active set: " + set.text;
    const Answer connected =
        co_await desk_.ask(command(which, "ovsdb-server/connect-active-ovsdb-server"), limit_ms);
    if (!connected.done()) co_return "not connecting: " + connected.text;
  }
  co_return std::nullopt;
}

void Servers::lose_sync(Which which) {
  desk_.memory.in_sync[which] = false;
  if (states_[which].copy) states_[which].copy->in_sync = false;
}

// --- the active ---

/// Forced: whether an empty copy may be promoted has been decided by comparing it with the others.
/// The server looks once more, in the moment of the promotion, whether the copy goes as far as it
/// did when it was compared.
Task<bool> Servers::promote(Which which, Epoch above) {
  std::string problem = "it is a stock server";
  if (!desk_.memory.stock[which]) {
    std::vector<std::string> arguments = {"--force", "--above",
                                          fmt::format("{}", static_cast<std::uint64_t>(above))};
    if (states_[which].copy) {
      arguments.emplace_back("--least");
      arguments.push_back(states_[which].copy->height.to_string());
    }
    const Answer answer =
        co_await desk_.ask(AskServer{which, "tandem/promote", std::move(arguments)}, kPromotionMs);
    if (answer.done()) co_return true;
    problem = answer.text.empty() ? "no answer" : answer.text;
    desk_.memory.stock[which] = is_unknown_command(answer);
  }
  if (desk_.memory.stock[which]) {
    const Answer promoted = co_await desk_.ask(
        command(which, "ovsdb-server/disconnect-active-ovsdb-server"), kPromotionMs);
    const Answer listens = co_await desk_.ask(
        command(which, "ovsdb-server/add-remote", desk_.settings().connections_remote(which)),
        desk_.settings().control_timeout_ms);
    if (promoted.done() && listens.done()) co_return true;
    problem = promoted.done() ? listens.text : promoted.text;
  }
  desk_.reason(fmt::format("{} server was not promoted: {}", name_of(which), problem));
  co_return false;
}

Task<Servers::Lease> Servers::lease(Which which, std::int64_t ms) {
  if (desk_.memory.stock[which] || states_[which].role == ServerState::Role::kGone)
    co_return Lease::kGranted;
  const std::string seconds = ms % 1000 == 0
                                  ? fmt::format("{}", ms / 1000)
                                  : fmt::format("{:.3f}", static_cast<double>(ms) / 1000);
  std::vector<std::string> arguments = {seconds};
  if (states_[which].copy) {
    arguments.emplace_back("--epoch");
    arguments.push_back(
        fmt::format("{}", static_cast<std::uint64_t>(states_[which].copy->height.epoch)));
  }
  const std::int64_t limit_ms = desk_.settings().control_timeout_ms;
  Answer answer =
      co_await desk_.ask(AskServer{which, "tandem/lease", std::move(arguments)}, limit_ms);
  if (answer.done()) co_return Lease::kGranted;
  if (answer.text.find("was made active in epoch") != std::string::npos) {
    desk_.warn(fmt::format("the {} server keeps the role to another one: {}", name_of(which),
                           answer.text));
    co_return Lease::kRefused;
  }
  // A server that was started before an upgrade knows no epochs.
  if (answer.text.find("takes at most") != std::string::npos)
    answer = co_await desk_.ask(command(which, "tandem/lease", seconds), limit_ms);
  if (answer.done() || is_unknown_command(answer)) co_return Lease::kGranted;
  desk_.warn(fmt::format("the {} server was not granted the role: {}", name_of(which),
                         answer.text.empty() ? "no answer" : answer.text));
  co_return Lease::kUnanswered;
}

Task<> Servers::revoke(Which which) { (void)co_await lease(which, kNoTimeMs); }

Task<> Servers::end_leases() {
  for (const Which which : kBoth) {
    if (states_[which].role != ServerState::Role::kActive || desk_.memory.stock[which]) continue;
    (void)co_await desk_.ask(command(which, "tandem/lease", "off"),
                             desk_.settings().control_timeout_ms);
  }
}

/// The options of the servers' command line win, as they do at the start.
Task<> Servers::set_sync() {
  if (desk_.settings().has_server_option("--sync-")) co_return;
  for (const Which which : kBoth) {
    if (desk_.memory.stock[which]) continue;
    const std::int64_t limit_ms = desk_.settings().control_timeout_ms;
    const Answer now = co_await desk_.ask(command(which, "tandem/sync-replicas"), limit_ms);
    if (!now.done()) continue;
    const std::size_t space = now.text.find(' ');
    const std::string timeout =
        space == std::string::npos
            ? "1000"
            : now.text.substr(space + 1, now.text.find(' ', space + 1) - space - 1);
    (void)co_await desk_.ask(
        command(which, "tandem/sync-replicas", fmt::format("{}", desk_.settings().sync_replicas),
                timeout, desk_.settings().sync_fallback),
        limit_ms);
  }
}

Task<> Servers::advertise() {
  if (desk_.settings().has_server_option("--advertise-role")) co_return;
  for (const Which which : kBoth) {
    if (desk_.memory.stock[which]) continue;
    (void)co_await desk_.ask(
        command(which, "tandem/advertise-role", desk_.settings().advertise_role),
        desk_.settings().control_timeout_ms);
  }
}

Task<> Servers::name_node() {
  const std::string& node = desk_.order.node;
  for (const Which which : kBoth) {
    const std::optional<std::string>& known = states_[which].node_name;
    if (!known || *known == node || node.empty()) continue;
    (void)co_await desk_.ask(command(which, "tandem/node-name", node),
                             desk_.settings().control_timeout_ms);
  }
}

}  // namespace tandem::agent
