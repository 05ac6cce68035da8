// A backup that is asked before a promotion leaves the old active, and answers.

#include <fmt/core.h>

#include <algorithm>

#include "ocf/agent/decision/election.h"

namespace tandem::agent {

namespace {

/// How long one waits for the question in the notification.
constexpr std::int64_t kAnswersMs = 2'000;
/// The question is looked for ever less often, so that few processes are started for it.
constexpr std::int64_t kFirstPauseMs = 40;
constexpr std::int64_t kPausesGrow = 8;
constexpr std::int64_t kLongestPauseMs = 500;
constexpr std::int64_t kLockMs = 1'000;
/// The first backup by name leaves the old active after the others, but waits no longer than this.
constexpr std::int64_t kOthersLeaveMs = 1'000;

}  // namespace

/// Nobody demotes the old active: if it still runs somewhere, then from here on no backup tells it
/// that it has anything. Its servers wait for the first backups by name, so the first one leaves
/// last: it then has most of both databases.
Task<> Election::leave_active() {
  if (!servers_.any_link_is("replicating") || !desk_.order.leaving().empty()) co_return;
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

/// The number of the chosen one's question, if it is not the one that was last answered. Nothing:
/// it may still ask. Empty: it will not.
std::optional<std::string> Election::question_of(const std::string& chosen) const {
  const Notice* notice = cluster_.bulletin().of(chosen);
  if (notice == nullptr || notice->format < Notice::kFormat) return "";
  switch (notice->word) {
    case Notice::Word::kFinal:
    case Notice::Word::kSilent:
      if (notice->round != desk_.memory.round) return notice->round;
      return std::nullopt;
    case Notice::Word::kLive:
    case Notice::Word::kCut:
      return std::nullopt;
    case Notice::Word::kActive:
    case Notice::Word::kStopped:
      return "";
  }
  return "";
}

Task<std::optional<std::string>> Election::await_question(std::string chosen,
                                                          std::int64_t limit_ms) {
  const std::int64_t end = desk_.now_ms() + limit_ms;
  std::optional<std::string> round = question_of(chosen);
  for (std::int64_t pause = kFirstPauseMs; !round && desk_.now_ms() < end;
       pause = std::min(pause * kPausesGrow, kLongestPauseMs)) {
    (void)co_await desk_.ask(Pause{},
                             std::min(pause, std::max<std::int64_t>(end - desk_.now_ms(), 1)));
    co_await cluster_.look_around();
    round = question_of(chosen);
  }
  co_return round;
}

bool Election::is_promotable() const {
  return servers_.both_are(ServerState::Role::kBackup) && servers_.backups_are_fit() &&
         !desk_.memory.unfit;
}

Notice::Word Election::answer_word() const {
  return is_promotable() ? Notice::Word::kFinal : Notice::Word::kSilent;
}

/// Every backup says how far its copy goes; again when it has seen the question. False: nothing was
/// asked yet.
Task<bool> Election::answer_round(std::string chosen, std::int64_t limit_ms) {
  std::optional<std::string> round = question_of(chosen);
  if (!round || round->empty()) {
    // Others wait for this copy to have left the old active.
    co_await cluster_.publish(answer_word(), servers_.copy());
    round = co_await await_question(chosen, limit_ms);
  }
  if (!round) co_return false;
  if (round->empty()) co_return true;
  desk_.memory.round = *round;
  co_await cluster_.publish(answer_word(), servers_.copy());
  co_return true;
}

/// A question that was there at the first look may be that of an earlier notification, which did
/// not end here.
Task<> Election::answer(std::string chosen) {
  const bool may_be_old = !question_of(chosen).value_or("").empty();
  const bool answered = co_await answer_round(chosen, std::min(kAnswersMs, desk_.left_ms() / 2));
  // The chosen one may have been compared by then; who is ahead of it has to say so itself.
  if (answered) co_await adjust_scores(chosen);
  if (answered && !may_be_old) co_return;
  desk_.tell(Exit::kSuccess, desk_.left_ms());
  co_await answer_late(chosen);
}

/// In an orderly change only the chosen one has to know how far the others are, and only if it
/// lacks something. Pacemaker waits for no answer.
Task<> Election::answer_if_asked(std::string chosen) {
  desk_.tell(Exit::kSuccess, desk_.left_ms());
  const std::optional<std::string> round = question_of(chosen);
  if (round && round->empty()) co_return;
  if (round) {
    desk_.memory.round = *round;
    co_await cluster_.publish(answer_word(), servers_.copy());
  }
  co_await answer_late(chosen);
}

/// Pacemaker may notify the chosen one much later than this one. Other actions here do not wait for
/// the question: the lock is given back, and nothing is answered after a change of roles.
Task<> Election::answer_late(std::string chosen) {
  const std::int64_t turn = desk_.memory.turn;
  (void)co_await desk_.ask(ReleaseLock{}, kLockMs);
  while (desk_.left_ms() > 0) {
    (void)co_await desk_.ask(Pause{}, kLongestPauseMs);
    co_await cluster_.look_around();
    const std::optional<std::string> round = question_of(chosen);
    if (round && round->empty()) co_return;
    const Answer lock = co_await desk_.ask(TakeLock{}, kLockMs);
    if (!lock.done()) continue;
    const Answer kept = co_await desk_.ask(ReadMemory{}, kLockMs);
    const Memory now = Memory::from_text(kept.text);
    const bool goes_on = !kept.text.empty() && now.turn == turn;
    if (goes_on && round) {
      desk_.memory = now;
      desk_.memory.round = *round;
      co_await cluster_.publish(answer_word(), servers_.copy());
    }
    (void)co_await desk_.insist(ReleaseLock{}, kLockMs);
    if (!goes_on || round) co_return;
  }
}

}  // namespace tandem::agent
