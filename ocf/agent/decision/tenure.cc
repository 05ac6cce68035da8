#include "ocf/agent/decision/tenure.h"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

#include "ocf/agent/decision/boolean.h"

namespace tandem::agent {

namespace {

constexpr std::int64_t kQuorumMs = 2'000;
constexpr std::int64_t kToolMs = 5'000;
/// A server that dies more often than this is Pacemaker's to recover, on another node.
constexpr std::size_t kRepairs = 3;
constexpr std::int64_t kRepairsWithinMs = 300'000;
/// A start that takes longer is not waited for where another copy has all: a move is quicker.
constexpr std::int64_t kQuickStartMs = 4'000;

struct Quorum {
  Answer corosync;
  Answer controller;
};

Task<> ask_into(Desk& desk, Step::What what, std::int64_t limit_ms, Answer* answer) {
  *answer = co_await desk.ask(std::move(what), limit_ms);
}

/// One that is cut off says at its second look which database it still follows.
bool follows(const Notice& backup, Which which) {
  const auto& database = backup.copy.databases[which];
  return database && database->in_sync &&
         (backup.word == Notice::Word::kLive || !backup.copy.is_whole());
}

}  // namespace

// --- the right to be active ---

/// Pacemaker only remembers what it last heard of quorum, so corosync is asked, too, where there is
/// one: others may have gone on without a node whose corosync hangs.
Task<Tenure::Right> Tenure::look() {
  Quorum quorum;
  std::vector<Task<>> questions;
  questions.push_back(ask_into(desk_, AskCorosync{}, kQuorumMs, &quorum.corosync));
  questions.push_back(ask_into(desk_, AskController{}, kQuorumMs, &quorum.controller));
  questions.push_back(cluster_.look_around());
  co_await Join(std::move(questions));
  if (quorum.corosync.outcome == Answer::Outcome::kSilent || !quorum.controller.done())
    co_return Right::kUnknown;
  if (const Notice* other = rival()) {
    const bool is_active = other->word == Notice::Word::kActive;
    desk_.warn(fmt::format("{} {}, at {}", other->node,
                           is_active ? "is active" : "has a later promotion",
                           other->copy.to_string()));
    co_return is_active ? Right::kBeside : Right::kReplaced;
  }
  const bool quorate = quorum.corosync.outcome != Answer::Outcome::kRefused &&
                       quorum.controller.text.starts_with('1');
  if (!quorate) {
    const Answer policy = co_await desk_.ask(ReadProperty{"no-quorum-policy", "", false}, kToolMs);
    if (!policy.text.starts_with("ignore")) co_return Right::kLost;
  }
  if (!cluster_.bulletin().readable) co_return Right::kUnseen;
  if (servers_.both_are(ServerState::Role::kActive) || !has_run_out()) co_return Right::kHeld;
  const bool may = co_await may_return();
  co_return may ? Right::kHeld : Right::kUnknown;
}

bool Tenure::has_run_out() const {
  return has_leases() && desk_.memory.granted_ms > 0 &&
         desk_.now_ms() >= desk_.memory.granted_at + desk_.memory.granted_ms;
}

bool Tenure::sees_all() const {
  if (cluster_.bulletin().of(desk_.order.node) == nullptr) return false;
  std::istringstream words(desk_.memory.copies);
  for (std::string node; words >> node;) {
    if (cluster_.bulletin().of(node) == nullptr) return false;
  }
  return true;
}

const Notice* Tenure::rival() const {
  const Copy ours = servers_.copy();
  const Notice* other = cluster_.other_active();
  if (other != nullptr && (!ours.is_known() || is_better(other->copy, ours))) return other;
  // The one that was promoted in place of this one may have been demoted for its sake.
  return cluster_.promoted_since(ours);
}

Task<bool> Tenure::may_return() {
  if (!sees_all()) co_return false;
  const bool heard = co_await cluster_.is_heard(Notice::Word::kActive, servers_.copy());
  co_return heard&& sees_all() && rival() == nullptr;
}

std::int64_t Tenure::lease_ms() const {
  const std::int64_t seconds = desk_.settings().role_lease_s;
  if (seconds >= 0) return seconds * 1000;
  return (desk_.order.interval_ms + desk_.order.timeout_ms) / 1000 * 1000 + 5000;
}

Task<bool> Tenure::grant(std::int64_t ms) {
  if (!has_leases()) co_return true;
  Pair<Servers::Lease> leases;
  co_await for_both([&](Which which) { return into(servers_.lease(which, ms), &leases[which]); });
  if (leases == Pair<Servers::Lease>{{Servers::Lease::kGranted, Servers::Lease::kGranted}})
    desk_.memory.granted_at = desk_.now_ms();
  desk_.memory.granted_ms = ms;
  co_return leases[Which::kNb] != Servers::Lease::kRefused&& leases[Which::kSb] !=
      Servers::Lease::kRefused;
}

Task<> Tenure::revoke() {
  if (!has_leases()) co_return;
  co_await for_both([&](Which which) { return servers_.revoke(which); });
}

Task<> Tenure::give_way() {
  const Notice* later = cluster_.promoted_since(servers_.copy());
  if (later == nullptr) co_return;
  const std::string why = fmt::format("{} was promoted later", later->node);
  desk_.warn(why + ": the right to write ends here");
  co_await revoke();
  co_await cluster_.set_score(score::kBan, why);
}

Task<> Tenure::announce() {
  desk_.memory.unsure_since.reset();
  for (const Which which : kBoth) desk_.memory.in_sync[which] = true;
  Copy copy = servers_.copy();
  for (const Which which : kBoth) {
    if (copy.databases[which]) copy.databases[which]->in_sync = true;
  }
  std::vector<Task<>> both;
  both.push_back(cluster_.publish(Notice::Word::kActive, copy));
  both.push_back(cluster_.set_score(score::kActive, "promoted"));
  co_await Join(std::move(both));
}

/// Backups may hear nothing of a database whose disk hangs, so there it counts where they are; of
/// the other one, which goes on, they have said that they follow.
bool Tenure::has_heir() const {
  const std::vector<Notice>& notices = cluster_.bulletin().notices;
  return std::any_of(notices.begin(), notices.end(), [&](const Notice& notice) {
    return notice.node != desk_.order.node && notice.is_candidate() &&
           std::all_of(kBoth.begin(), kBoth.end(), [&](Which which) {
             return follows(notice, which) || has_all_of(notice.copy, servers_.copy(), which);
           });
  });
}

/// Pacemaker then makes another one active in good order, and this one a backup, without a restart.
Task<bool> Tenure::pass_on() {
  const bool loses_nothing = has_heir();
  if (loses_nothing) co_await cluster_.set_score(score::kBan, "a server cannot write to its disk");
  co_return loses_nothing;
}

// --- servers that are not what they shall be ---

/// Two rounds, since one server may die while the other one is restarted.
Task<bool> Tenure::put_both_right(ServerState::Role role) {
  passes_on_ = false;
  for (int round = 0; round < 2 && !servers_.both_are(role); ++round) {
    Pair<bool> right;
    if (servers_.any_is(ServerState::Role::kGone) || servers_.any_is(ServerState::Role::kHung)) {
      co_await for_both([&](Which which) { return into(repair(which, role), &right[which]); });
      if (!right[Which::kNb] || !right[Which::kSb]) co_return false;
      co_await servers_.survey();
    }
    if (role == ServerState::Role::kActive && servers_.any_is(ServerState::Role::kBackup)) {
      // How far a server that was gone goes is known only now.
      std::string objection = co_await election_.objection_to_return();
      if (!servers_.backups_are_fit()) objection = servers_.fault();
      if (!objection.empty()) {
        desk_.reason("not promoted again: " + objection);
        co_return false;
      }
    }
    co_await for_both([&](Which which) { return into(put_in_role(which, role), &right[which]); });
    if (!right[Which::kNb] || !right[Which::kSb]) co_return false;
    co_await servers_.survey();
  }
  co_return servers_.both_are(role);
}

/// Leaves a server that is gone or hangs to the next round.
Task<bool> Tenure::put_in_role(Which which, ServerState::Role role) {
  const ServerState::Role state = servers_[which].role;
  if (state == role) co_return true;
  switch (state) {
    case ServerState::Role::kGone:
    case ServerState::Role::kHung:
      co_return true;
    case ServerState::Role::kActive:
      co_return co_await servers_.demote(which, election_.active_node(), cluster_.bulletin());
    case ServerState::Role::kBackup:
      co_return co_await servers_.promote(which, election_.greatest_epoch(which));
  }
  co_return false;
}

/// A restart here loses nothing and is quicker than a move. One that takes its time is not, so
/// another copy that has everything is then promoted.
Task<bool> Tenure::repair(Which which, ServerState::Role role) {
  if (servers_[which].role != ServerState::Role::kGone &&
      servers_[which].role != ServerState::Role::kHung)
    co_return true;
  std::vector<std::int64_t>& repaired = desk_.memory.repaired[which];
  std::erase_if(repaired, [&](std::int64_t at) { return at <= desk_.now_ms() - kRepairsWithinMs; });
  const std::string state = to_string(servers_[which].role);
  if (repaired.size() >= kRepairs) {
    desk_.reason(fmt::format("{} server is {} again", name_of(which), state));
    co_return false;
  }
  repaired.push_back(desk_.now_ms());
  desk_.warn(
      fmt::format("{} server is {}: restarting it as {}", name_of(which), state, to_string(role)));
  const bool active = role == ServerState::Role::kActive;
  if (active) desk_.memory.connection[which] = false;
  const std::string followed = active ? "" : election_.active_node();
  const bool may_pass_on = active && desk_.memory.score != score::kBan && has_heir();
  const bool started = co_await servers_.restart(which, followed, cluster_.bulletin(),
                                                 may_pass_on ? kQuickStartMs : desk_.left_ms());
  if (!started && may_pass_on) {
    passes_on_ = true;
    co_await cluster_.set_score(score::kBan, "a server does not start, and a backup has all");
  }
  co_return started;
}

// --- what the administrator wants ---

Task<bool> Tenure::is_unmanaged() {
  const Answer answer = co_await desk_.ask(AskManaged{}, kToolMs);
  co_return answer.done() && parse_boolean(answer.text) == false;
}

Task<bool> Tenure::is_in_maintenance(bool saved) {
  const Answer answer = co_await desk_.ask(ReadProperty{"maintenance-mode", "", saved}, kToolMs);
  co_return answer.done() && parse_boolean(answer.text) == true;
}

}  // namespace tandem::agent
