// The question before a promotion, its answers, and the last look at the moment of it.

#include <fmt/core.h>

#include <algorithm>

#include "ocf/agent/decision/election.h"

namespace tandem::agent {

namespace {

/// How long one waits for the others' answers in the notification, and in the promotion itself.
constexpr std::int64_t kAnswersMs = 2'000;
constexpr std::int64_t kLateAnswersMs = 5'000;
/// They are looked for ever less often, so that few processes are started for it.
constexpr std::int64_t kFirstPauseMs = 40;
constexpr std::int64_t kPausesGrow = 8;
/// A score that is to keep Pacemaker from a promotion has to reach the cluster's coordinator before
/// the end of the notification.
constexpr std::int64_t kScoreTravelsMs = 500;

}  // namespace

/// A question has a number, so that an answer to an earlier one is not taken for one to this. The
/// one that is to be promoted chooses it, and the others repeat it.
Task<> Election::ask_round() {
  desk_.memory.round = fmt::format("{:x}", seed_);
  co_await cluster_.publish(answer_word(), servers_.copy());
}

Names Election::electorate() const {
  Names names;
  const Order& order = desk_.order;
  for (const Names* list : {&order.unpromoted_nodes, &order.demoting, &order.starting}) {
    for (const std::string& node : *list) {
      if (node == order.node || order.stays_stopped(node) || contains(names, node)) continue;
      // One of ours has said something before its start has ended; a stock one never does.
      if (list == &order.starting && cluster_.bulletin().of(node) == nullptr) continue;
      names.push_back(node);
    }
  }
  return names;
}

/// Those of them that have not answered this question yet. A stock agent never does.
Names Election::awaited(const std::string& round) const {
  const Names names = electorate();
  const Names stock = cluster_.stock_nodes(names);
  Names waiting;
  for (const std::string& node : names) {
    if (contains(stock, node)) continue;
    const Notice* notice = cluster_.bulletin().of(node);
    bool answered = false;
    if (notice != nullptr) {
      switch (notice->word) {
        case Notice::Word::kFinal:
        case Notice::Word::kSilent:
          answered = notice->format < Notice::kFormat || notice->round == round;
          break;
        case Notice::Word::kCut:  // of a monitor behind the answer
          answered = notice->round == round;
          break;
        case Notice::Word::kActive:
        case Notice::Word::kLive:
        case Notice::Word::kStopped:  // an old word: Pacemaker says that it runs
          break;
      }
    }
    if (!answered) waiting.push_back(node);
  }
  return waiting;
}

/// Waits until all have answered. What this instance publishes is among what it then sees, so an
/// empty bulletin is none.
Task<bool> Election::await_answers(std::int64_t limit_ms) {
  const std::int64_t end = desk_.now_ms() + std::min(limit_ms, desk_.left_ms() / 2);
  for (std::int64_t pause = kFirstPauseMs;; pause *= kPausesGrow) {
    co_await cluster_.look_around();
    if (cluster_.bulletin().readable && cluster_.bulletin().of(desk_.order.node) != nullptr &&
        awaited(desk_.memory.round).empty())
      co_return true;
    if (desk_.now_ms() >= end) co_return false;
    (void)co_await desk_.ask(Pause{},
                             std::min(pause, std::max<std::int64_t>(end - desk_.now_ms(), 1)));
  }
}

Task<> Election::settle() {
  Memory& memory = desk_.memory;
  memory.asked = true;
  const std::string chosen = desk_.order.promoting.empty() ? "" : desk_.order.promoting.front();
  const bool orderly = !desk_.order.leaving().empty();
  std::vector<Task<>> looks;
  looks.push_back(servers_.survey());
  looks.push_back(cluster_.look_around());
  if (!orderly) looks.push_back(cluster_.look_at_scores());
  co_await Join(std::move(looks));
  // Others that Pacemaker would promote beside this active are refused.
  if (desk_.order.promoted_max != 1 && servers_.both_are(ServerState::Role::kActive)) co_return;
  co_await leave_active();
  if (!servers_.both_are(ServerState::Role::kBackup))
    co_await cluster_.set_score(score::kBan, "the servers are " + servers_.roles_text());
  if (chosen != desk_.order.node) {
    remember_epoch();
    if (orderly) {
      co_await answer_if_asked(chosen);
    } else {
      co_await answer(chosen);
    }
    co_return;
  }
  const Notice* ended = end_of_the_leaving();
  if (ended != nullptr && has_all_of(servers_.copy(), ended->copy) && !may_be_old(*ended)) {
    memory.round.clear();  // nobody is asked
    co_return;
  }
  co_await ask_round();
  if (orderly) co_await cluster_.look_at_scores();
  if (!co_await await_answers(kAnswersMs)) {
    desk_.warn(
        fmt::format("not told in time how far they go: {}", joined(awaited(memory.round), ", ")));
  }
  co_await adjust_scores(chosen);
}

/// Where the active that hands the role over says that it ended; null: it has not said so.
const Notice* Election::end_of_the_leaving() const {
  for (const std::string& node : desk_.order.leaving()) {
    const Notice* notice = cluster_.bulletin().of(node);
    if (notice != nullptr && notice->copy.is_known() &&
        (notice->word == Notice::Word::kFinal || notice->word == Notice::Word::kStopped))
      return notice;
  }
  return nullptr;
}

/// Its words from before its promotion are of an earlier epoch than that of the promotion. Such a
/// word may refuse a copy, but is no reason to ask nobody.
bool Election::may_be_old(const Notice& ended) const {
  return std::any_of(kBoth.begin(), kBoth.end(), [&](Which which) {
    return ended.copy.databases[which]->height.epoch < desk_.memory.taken_epoch[which];
  });
}

/// Pacemaker then computes the promotion anew, before it has promoted anybody. Under load it
/// notifies one node after the other: the last one sees all. One that is better but does not run
/// holds up this copy no longer than the chosen one, which is behind this one.
Task<> Election::adjust_scores(std::string chosen) {
  if (!cluster_.bulletin().readable || !is_promotable()) co_return;
  Memory& memory = desk_.memory;
  const View view = compare_with_others();
  const bool is_chosen = chosen == desk_.order.node;
  const bool chosen_is_behind = contains(view.behind, chosen);
  const std::string theirs = cluster_.score_of(chosen);
  if (chosen_is_behind && theirs == score::kStale) memory.let_go = true;
  const Notice* better = view.better;
  if (memory.let_go && chosen_is_behind) better = better_of(electorate());
  if (better != nullptr) {
    if (memory.let_go || (!is_chosen && better->node == chosen)) co_return;
    co_await cluster_.set_score(score::kBan, better_text(*better));
    if (is_chosen) (void)co_await desk_.ask(Pause{}, kScoreTravelsMs);
  } else if (chosen_is_behind) {
    if (score::points(theirs) < score::points(memory.score)) co_return;
    co_await cluster_.set_score(
        score::kAhead, fmt::format("ahead of {}, at {}", chosen, servers_.copy().to_string()));
    (void)co_await desk_.ask(Pause{}, kScoreTravelsMs);
  } else if (score::points(memory.score) < score::points(score::kBestSeen) &&
             servers_.copy().is_whole() && !memory.full_by_list) {
    co_await cluster_.set_score(
        score::kBestSeen, fmt::format("nobody of {} is ahead of {}", joined(view.present, ", "),
                                      servers_.copy().to_string()));
  }
}

// --- in the promotion ---

/// One that was in sync may have acknowledged commits since it said so. Its notification may have
/// been lost, so there is one refusal, after which Pacemaker notifies again; no more, since it may
/// be unable to answer. One that has said nothing lately, or was not in sync, delays nobody.
bool Election::may_hide_commits(const Names& silent) const {
  return std::any_of(silent.begin(), silent.end(), [&](const std::string& node) {
    const Notice* notice = cluster_.bulletin().of(node);
    return notice != nullptr && notice->is_candidate() && notice->copy.is_whole();
  });
}

/// All notifications that precede it have ended, so everybody has had the time to answer.
Task<std::string> Election::refusal() {
  Memory& memory = desk_.memory;
  std::vector<Task<>> looks;
  looks.push_back(servers_.survey());
  looks.push_back(cluster_.look_at_scores());
  looks.push_back(cluster_.look_around());
  co_await Join(std::move(looks));
  // Where nobody is active one may be all the same: clients need it more than the clone needs
  // mending.
  if (const std::string fault = desk_.order.fault_of_clone(); !fault.empty()) {
    const bool is_first =
        desk_.order.promoting.empty() || desk_.order.promoting.front() == desk_.order.node;
    if (!desk_.order.is_notified || !is_first || !active_node().empty()) co_return fault;
    desk_.warn(fault);
  }
  const std::string at = "at " + servers_.copy().to_string();
  if (!cluster_.bulletin().readable)
    co_return at + ": the cluster does not say where the others are";
  if (const Notice* ended = end_of_the_leaving()) {
    if (!has_all_of(servers_.copy(), ended->copy))
      co_return fmt::format("{} behind {}, where the active on {} ended", at,
                            ended->copy.to_string(), ended->node);
    if (!may_be_old(*ended)) co_return "";
  }
  const bool asked = memory.asked && !memory.round.empty();
  if (!asked) co_await ask_round();
  if (!co_await await_answers(asked ? kLateAnswersMs : kAnswersMs)) {
    if (!cluster_.bulletin().readable)
      co_return at + ": the cluster does not say where the others are";
    const Names silent = awaited(memory.round);
    if (asked && may_hide_commits(silent) && !memory.let_go && !memory.refused)
      co_return fmt::format("{}: {} did not say how far they go", at, joined(silent, ", "));
    if (!silent.empty()) {
      desk_.warn(fmt::format("{} did not say how far they go", joined(silent, ", ")));
      // Others may have gone on without this node, whose corosync hangs: then they promote another.
      const bool heard = co_await cluster_.is_heard(answer_word(), servers_.copy());
      if (!heard) co_return at + ": the cluster does not hear this node";
    }
  }
  // Nobody had promoted a better copy; if it runs here, it gets another chance.
  const Notice* better = compare_with_others().better;
  if (better != nullptr && memory.let_go)
    better = memory.refused ? nullptr : better_of(electorate());
  co_return better == nullptr ? "" : better_text(*better);
}

Task<std::string> Election::objection_to_return() {
  co_await cluster_.look_around();
  if (!cluster_.bulletin().readable) co_return "the cluster does not say where the others are";
  if (const Notice* active = cluster_.other_active()) co_return active->node + " is active";
  const Notice* better = compare_with_others().better;
  co_return better == nullptr ? "" : better_text(*better);
}

}  // namespace tandem::agent
