#include "ocf/agent/decision/election.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace tandem::agent {

namespace {

/// How long one waits for the others' answers in the notification, and in the promotion itself.
constexpr std::int64_t kAnswersMs = 2'000;
constexpr std::int64_t kLateAnswersMs = 5'000;
/// They are looked for ever less often, so that few processes are started for it.
constexpr std::int64_t kFirstPauseMs = 40;
constexpr std::int64_t kPausesGrow = 8;
/// The first backup by name leaves the old active after the others, but waits no longer than this.
constexpr std::int64_t kOthersLeaveMs = 1'000;
/// A score that is to keep Pacemaker from a promotion has to reach the cluster's coordinator before
/// the end of the notification.
constexpr std::int64_t kScoreTravelsMs = 500;

/// As Pacemaker counts: none is -1.
int points(const std::string& score) {
  if (score == score::kBan) return -1'000'000;
  if (score == "INFINITY") return 1'000'000;
  int value = -1;
  std::from_chars(score.data(), score.data() + score.size(), value);
  return value;
}

}  // namespace

// --- what is seen ---

Election::View Election::compare_with_others() const {
  View view;
  view.present = {desk_.order.node};
  const Copy ours = servers_.copy();
  for (const Notice& notice : cluster_.bulletin().notices) {
    if (notice.node == desk_.order.node || contains(desk_.order.stopping, notice.node)) continue;
    if (!notice.is_candidate()) continue;
    if (notice.word == Notice::Word::kActive && !contains(desk_.order.demoting, notice.node))
      view.active = notice.node;
    view.present.push_back(notice.node);
    switch (compare(notice.copy, ours)) {
      case Comparison::kAhead:
        if (view.better == nullptr || compare(notice.copy, view.better->copy) == Comparison::kAhead)
          view.better = &notice;
        break;
      case Comparison::kBehind:
        if (notice.word == Notice::Word::kFinal) view.behind.push_back(notice.node);
        break;
      case Comparison::kLevel:
        break;
    }
  }
  return view;
}

std::string Election::better_text(const View& view) const {
  return fmt::format("at {} behind {} at {}", servers_.copy().to_string(), view.better->node,
                     view.better->copy.to_string());
}

std::string Election::active_node() const {
  for (const std::string& node : desk_.order.promoted_nodes) {
    if (node != desk_.order.node && !contains(desk_.order.demoting, node) &&
        !contains(desk_.order.stopping, node))
      return node;
  }
  const Notice* notice = cluster_.other_active();
  return notice != nullptr ? notice->node : "";
}

Epoch Election::greatest_epoch(Which which) const {
  Epoch greatest{};
  for (const Notice& notice : cluster_.bulletin().notices) {
    const auto& database = notice.copy.databases[which];
    if (database) greatest = std::max(greatest, database->height.epoch);
  }
  return greatest;
}

// --- the score of a backup ---

Task<> Election::publish_backup() {
  Memory& memory = desk_.memory;
  for (const Which which : kBoth) {
    if (servers_[which].link == "replicating") memory.in_sync[which] = true;
  }
  const bool live = servers_.both_links_are("replicating");
  Copy copy = servers_.copy();
  for (const Which which : kBoth) {
    if (copy.databases[which]) copy.databases[which]->in_sync = memory.in_sync[which];
  }
  co_await cluster_.publish(live ? Notice::Word::kLive : Notice::Word::kCut, copy);
}

Task<> Election::judge() {
  Memory& memory = desk_.memory;
  if (!servers_.both_are(ServerState::Role::kBackup)) {
    co_await cluster_.set_score(score::kBan, "the servers are " + servers_.roles_text());
    co_return;
  }
  if (servers_.both_links_are("replicating")) {
    memory.alone_since.reset();
    memory.was_alone = memory.was_cut_off = memory.let_go = memory.refused = false;
    co_await cluster_.set_score(score::kSynced,
                                "follows the active, at " + servers_.copy().to_string());
    co_return;
  }
  View view = compare_with_others();
  if (view.active.empty()) view.active = active_node();
  if (!view.active.empty()) {
    co_await judge_cut_off(std::move(view));
  } else {
    co_await judge_without_active(std::move(view));
  }
}

/// There is an active, and this backup does not follow it. Once may be a moment, such as that after
/// a promotion. An active without a position (a stock one) cannot be compared with.
Task<> Election::judge_cut_off(View view) {
  Memory& memory = desk_.memory;
  memory.alone_since.reset();
  memory.was_alone = memory.let_go = memory.refused = false;
  const Notice* active = cluster_.bulletin().of(view.active);
  const bool comparable =
      active != nullptr && active->copy.is_known() && servers_.copy().is_known();
  if (!std::exchange(memory.was_cut_off, true)) {
    // A copy that has just been started has no right to a score yet.
    co_return;
  }
  for (const Which which : kBoth) {
    if (servers_[which].link != "replicating") memory.in_sync[which] = false;
  }
  if (view.better != nullptr) {
    co_await cluster_.set_score(score::kBan, "cut off " + better_text(view));
  } else if (!comparable) {
    co_await cluster_.set_score(score::kBan, "cut off from " + view.active);
  } else {
    co_await cluster_.set_score(
        score::kBestSeen, fmt::format("not connected to {}, but not behind it: {}", view.active,
                                      servers_.copy().to_string()));
  }
}

Task<> Election::judge_without_active(View view) {
  Memory& memory = desk_.memory;
  // Once may be in the middle of a change.
  if (points(memory.score) >= points(score::kSynced) && !std::exchange(memory.was_alone, true))
    co_return;
  if (!memory.alone_since) memory.alone_since = desk_.now_ms();
  const bool waited = desk_.now_ms() - *memory.alone_since >= desk_.settings().copies_wait_ms;
  const std::optional<Names> copies = co_await cluster_.look_at_copies();
  if (!copies) {
    desk_.warn("no active, and the cluster does not say which nodes had full copies");
    co_return;
  }
  const std::string at = servers_.copy().to_string();
  const bool had_all = copies->empty() || contains(*copies, desk_.order.node) ||
                       (memory.in_sync[Which::kNb] && memory.in_sync[Which::kSb] && !waited);
  if (!had_all && !desk_.settings().promote_stale) {
    co_await cluster_.set_score(
        score::kBan, fmt::format("no active; {} had full copies and this one, at {}, had not: only "
                                 "promote_stale=yes lets it be promoted",
                                 joined(*copies, ", "), at));
    co_return;
  }
  const Names missing = difference(*copies, view.present);
  if (!missing.empty() && !waited) {
    desk_.info(fmt::format("no active; waiting for the copies of {}; this one is at {}",
                           joined(missing, ", "), at));
    co_return;
  }
  if (waited && (memory.refused || view.better != nullptr)) memory.let_go = true;
  if (view.better == nullptr) {
    std::string why =
        fmt::format("no active; of {} nobody is ahead of {}", joined(view.present, ", "), at);
    if (!missing.empty()) why += "; gave up waiting for " + joined(missing, ", ");
    co_await cluster_.set_score(score::kBestSeen, why);
  } else if (memory.let_go) {
    co_await cluster_.set_score(
        score::kStale, "no active, and nobody promotes the better copy: " + better_text(view));
  } else {
    co_await cluster_.set_score(score::kBan, "no active; " + better_text(view));
  }
}

// --- before a promotion ---

/// A question has a number, so that an answer to an earlier one is not taken for one to this. The
/// one that is to be promoted chooses it, and the others repeat it.
Task<> Election::ask_round() {
  desk_.memory.round = fmt::format("{:x}", seed_);
  const bool promotable = servers_.both_are(ServerState::Role::kBackup);
  co_await cluster_.publish(promotable ? Notice::Word::kFinal : Notice::Word::kSilent,
                            servers_.copy());
}

/// Every backup says how far its copy goes; again when it has seen the question.
Task<> Election::answer_round() {
  const bool promotable = servers_.both_are(ServerState::Role::kBackup);
  const Notice::Word word = promotable ? Notice::Word::kFinal : Notice::Word::kSilent;
  const std::string answered = desk_.memory.round;
  const std::string chosen = desk_.order.promoting.empty() ? "" : desk_.order.promoting.front();
  const auto question = [&]() -> std::string {
    const Notice* notice = cluster_.bulletin().of(chosen);
    if (notice == nullptr || notice->format < Notice::kFormat) return "-";
    const bool asks = notice->word == Notice::Word::kFinal || notice->word == Notice::Word::kSilent;
    return asks && notice->round != answered ? notice->round : "";
  };
  std::string round = question();
  if (round.empty() || round == "-") {
    // Others wait for this copy to have left the old active.
    co_await cluster_.publish(word, servers_.copy());
  }
  const std::int64_t end = desk_.now_ms() + std::min(kAnswersMs, desk_.left_ms() / 2);
  for (std::int64_t pause = kFirstPauseMs; round.empty() && desk_.now_ms() < end;
       pause *= kPausesGrow) {
    (void)co_await desk_.ask(Pause{},
                             std::min(pause, std::max<std::int64_t>(end - desk_.now_ms(), 1)));
    co_await cluster_.look_around();
    round = question();
  }
  if (round.empty() || round == "-") co_return;
  desk_.memory.round = round;
  co_await cluster_.publish(word, servers_.copy());
}

/// The others whose copies count, as Pacemaker names them: those that run and go on running.
Names Election::electorate() const {
  Names names;
  for (const Names* list : {&desk_.order.unpromoted_nodes, &desk_.order.demoting}) {
    for (const std::string& node : *list) {
      if (node != desk_.order.node && !contains(desk_.order.stopping, node) &&
          !contains(names, node))
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
        case Notice::Word::kStopped:
          answered = true;
          break;
        case Notice::Word::kActive:
        case Notice::Word::kLive:
        case Notice::Word::kCut:
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

/// Nobody demotes the old active: if it still runs somewhere, then from here on no backup tells it
/// that it has anything. Its servers wait for the first backups by name, so the first one leaves
/// last: it then has most of both databases.
Task<> Election::leave_active() {
  if (!servers_.any_link_is("replicating") || !desk_.order.demoting.empty()) co_return;
  Names backups = desk_.order.unpromoted_nodes;
  std::sort(backups.begin(), backups.end());
  if (backups.size() > 1 && backups.front() == desk_.order.node) {
    const std::int64_t end = desk_.now_ms() + std::min(kOthersLeaveMs, desk_.left_ms() / 4);
    const auto others_left = [&] {
      const std::vector<Notice>& notices = cluster_.bulletin().notices;
      return std::none_of(notices.begin(), notices.end(), [&](const Notice& notice) {
        return contains(backups, notice.node) && notice.node != desk_.order.node &&
               (notice.word == Notice::Word::kLive || notice.word == Notice::Word::kCut);
      });
    };
    for (std::int64_t pause = kFirstPauseMs; !others_left() && desk_.now_ms() < end;
         pause *= kPausesGrow) {
      (void)co_await desk_.ask(Pause{},
                               std::min(pause, std::max<std::int64_t>(end - desk_.now_ms(), 1)));
      co_await cluster_.look_around();
    }
  }
  co_await servers_.tell_both_to_follow("", cluster_.bulletin());
  co_await servers_.survey();
}

Task<> Election::settle() {
  Memory& memory = desk_.memory;
  memory.asked = true;
  const std::string chosen = desk_.order.promoting.empty() ? "" : desk_.order.promoting.front();
  std::vector<Task<>> looks;
  looks.push_back(servers_.survey());
  looks.push_back(cluster_.look_at_scores());
  looks.push_back(cluster_.look_around());
  co_await Join(std::move(looks));
  co_await leave_active();
  if (!servers_.both_are(ServerState::Role::kBackup))
    co_await cluster_.set_score(score::kBan, "the servers are " + servers_.roles_text());
  if (chosen != desk_.order.node) {
    // An orderly change asks nobody but the chosen one, unless that one lacks something.
    const bool orderly = !desk_.order.demoting.empty();
    if (orderly) desk_.tell(Exit::kSuccess, desk_.left_ms());
    co_await answer_round();
    if (orderly || desk_.memory.round.empty()) co_return;
    // The chosen one may have been compared by then; who is ahead of it has to say so itself.
    co_await adjust_scores(chosen);
    co_return;
  }
  co_await ask_round();
  const Notice* ended = nullptr;
  for (const std::string& node : desk_.order.demoting) {
    const Notice* notice = cluster_.bulletin().of(node);
    if (notice != nullptr && notice->copy.is_known() &&
        (notice->word == Notice::Word::kFinal || notice->word == Notice::Word::kStopped))
      ended = notice;
  }
  if (ended != nullptr && compare(ended->copy, servers_.copy()) != Comparison::kAhead) co_return;
  if (!co_await await_answers(kAnswersMs)) {
    desk_.warn(
        fmt::format("not told in time how far they go: {}", joined(awaited(memory.round), ", ")));
  }
  co_await adjust_scores(chosen);
}

/// Pacemaker then computes the promotion anew, before it has promoted anybody. Under load it
/// notifies one node after the other: the last one sees all.
Task<> Election::adjust_scores(std::string chosen) {
  if (!cluster_.bulletin().readable || !servers_.both_are(ServerState::Role::kBackup)) co_return;
  const View view = compare_with_others();
  const bool is_chosen = chosen == desk_.order.node;
  const std::string ours = desk_.memory.score;
  if (view.better != nullptr) {
    if (desk_.memory.let_go || (!is_chosen && view.better->node == chosen)) co_return;
    co_await cluster_.set_score(score::kBan, better_text(view));
    if (is_chosen) (void)co_await desk_.ask(Pause{}, kScoreTravelsMs);
  } else if (contains(view.behind, chosen)) {
    if (points(cluster_.score_of(chosen)) < points(ours)) co_return;
    co_await cluster_.set_score(
        score::kAhead, fmt::format("ahead of {}, at {}", chosen, servers_.copy().to_string()));
    (void)co_await desk_.ask(Pause{}, kScoreTravelsMs);
  } else if (points(ours) < points(score::kBestSeen) && servers_.copy().is_whole()) {
    co_await cluster_.set_score(
        score::kBestSeen, fmt::format("nobody of {} is ahead of {}", joined(view.present, ", "),
                                      servers_.copy().to_string()));
  }
}

// --- in the promotion ---

/// All notifications that precede it have ended, so everybody has had the time to answer.
Task<std::string> Election::refusal() {
  Memory& memory = desk_.memory;
  std::vector<Task<>> looks;
  looks.push_back(servers_.survey());
  looks.push_back(cluster_.look_at_scores());
  looks.push_back(cluster_.look_around());
  co_await Join(std::move(looks));
  const std::string at = "at " + servers_.copy().to_string();
  if (!cluster_.bulletin().readable)
    co_return at + ": the cluster does not say where the others are";
  for (const std::string& node : desk_.order.demoting) {
    const Notice* notice = cluster_.bulletin().of(node);
    if (notice == nullptr || !notice->copy.is_known() || memory.let_go) continue;
    if (notice->word != Notice::Word::kFinal && notice->word != Notice::Word::kStopped) continue;
    if (compare(notice->copy, servers_.copy()) != Comparison::kAhead) co_return "";
    co_return fmt::format("{} behind {}, where the active on {} ended", at,
                          notice->copy.to_string(), node);
  }
  const bool asked = memory.asked && !memory.round.empty();
  if (!asked) co_await ask_round();
  if (!co_await await_answers(asked ? kLateAnswersMs : kAnswersMs)) {
    if (!cluster_.bulletin().readable)
      co_return at + ": the cluster does not say where the others are";
    const Names silent = awaited(memory.round);
    if (asked && !silent.empty() && !memory.let_go)
      co_return fmt::format("{}: {} did not say how far they go", at, joined(silent, ", "));
  }
  const View view = compare_with_others();
  if (view.better != nullptr && !memory.let_go) co_return better_text(view);
  co_return "";
}

Task<std::string> Election::objection_to_return() {
  co_await cluster_.look_around();
  if (!cluster_.bulletin().readable) co_return "the cluster does not say where the others are";
  if (const Notice* active = cluster_.other_active()) co_return active->node + " is active";
  const View view = compare_with_others();
  if (view.better != nullptr) co_return better_text(view);
  co_return "";
}

}  // namespace tandem::agent
