#include "ocf/agent/decision/election.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::agent {

// --- what is seen ---

Election::View Election::compare_with_others() const {
  View view;
  view.present = {desk_.order.node};
  const Copy ours = servers_.copy();
  for (const Notice& notice : cluster_.bulletin().notices) {
    if (notice.node == desk_.order.node || desk_.order.stays_stopped(notice.node)) continue;
    if (!notice.is_candidate()) continue;
    if (notice.word == Notice::Word::kActive && !contains(desk_.order.demoting, notice.node))
      view.active = notice.node;
    view.present.push_back(notice.node);
    if (notice.word == Notice::Word::kFinal && is_better(ours, notice.copy))
      view.behind.push_back(notice.node);
  }
  view.better = better_of(view.present);
  return view;
}

/// The best of the copies of these nodes that are better than this one; null: none is.
const Notice* Election::better_of(const Names& nodes) const {
  const Copy ours = servers_.copy();
  const Notice* best = nullptr;
  for (const Notice& notice : cluster_.bulletin().notices) {
    if (!contains(nodes, notice.node) || !notice.is_candidate()) continue;
    if (is_better(notice.copy, best != nullptr ? best->copy : ours)) best = &notice;
  }
  return best;
}

std::string Election::better_text(const Notice& better) const {
  return fmt::format("at {} behind {} at {}", servers_.copy().to_string(), better.node,
                     better.copy.to_string());
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

/// No server follows one that is further ahead than is believed of others, nor opens such an epoch.
Epoch Election::greatest_published(Which which) const {
  const Copy ours = servers_.copy();
  const auto& own = ours.databases[which];
  const std::uint64_t most =
      own ? static_cast<std::uint64_t>(own->height.epoch) + kMaxStep - 1 : kMaxStep;
  Epoch greatest{};
  for (const Notice& notice : cluster_.bulletin().notices) {
    const auto& database = notice.copy.databases[which];
    for (const Epoch epoch : {database ? database->height.epoch : Epoch{}, notice.taken[which]}) {
      if (epoch <= Epoch{most}) greatest = std::max(greatest, epoch);
    }
  }
  return greatest;
}

Epoch Election::greatest_epoch(Which which) const {
  return std::max(greatest_published(which), desk_.memory.taken_epoch[which]);
}

void Election::learn_epochs() {
  for (const Which which : kBoth) desk_.memory.taken_epoch[which] = greatest_epoch(which);
}

/// Another node is about to be promoted: remembers the epoch that it will open.
void Election::remember_epoch() {
  const Copy ours = servers_.copy();
  for (const Which which : kBoth) {
    const auto& own = ours.databases[which];
    const Epoch known = std::max(greatest_epoch(which), own ? own->height.epoch : Epoch{});
    desk_.memory.taken_epoch[which] = Epoch{static_cast<std::uint64_t>(known) + 1};
  }
}

// --- the score of a backup ---

Task<> Election::publish_backup() {
  learn_epochs();
  const bool live = servers_.both_links_are("replicating");
  if (live) desk_.memory.unfit = false;
  // A single look may fall into a moment such as that after a promotion. In half of a copy it does
  // not matter.
  const bool counts = desk_.memory.was_cut_off || !servers_.copy().is_whole();
  const bool is_cut_off = !live && counts && !active_node().empty();
  for (const Which which : kBoth) {
    if (is_cut_off && servers_[which].link != "replicating") servers_.lose_sync(which);
  }
  const Notice::Word otherwise = desk_.memory.unfit ? Notice::Word::kSilent : Notice::Word::kCut;
  co_await cluster_.publish(live ? Notice::Word::kLive : otherwise, servers_.copy());
}

Task<> Election::judge() {
  Memory& memory = desk_.memory;
  if (!servers_.both_are(ServerState::Role::kBackup)) {
    co_await cluster_.set_score(score::kBan, "the servers are " + servers_.roles_text());
    co_return;
  }
  if (!servers_.backups_are_fit()) {
    co_await cluster_.set_score(score::kBan, servers_.fault());
    co_return;
  }
  if (servers_.both_links_are("replicating")) {
    memory.forget_waiting();
    memory.was_cut_off = false;
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

/// There is an active, and this backup does not follow it. A single look may fall into a moment
/// such as that after a promotion, so the second one in a row counts. An active without a position
/// (a stock one) cannot be compared with.
Task<> Election::judge_cut_off(View view) {
  Memory& memory = desk_.memory;
  memory.forget_waiting();
  const Notice* active = cluster_.bulletin().of(view.active);
  // A node whose last word is that ours was stopped may run a stock active now, which publishes
  // nothing.
  const bool comparable = active != nullptr && active->word != Notice::Word::kStopped &&
                          active->copy.is_known() && servers_.copy().is_known();
  if (!std::exchange(memory.was_cut_off, true)) {
    // A copy that has just been started has no right to a score yet.
    co_return;
  }
  if (view.better != nullptr) {
    co_await cluster_.set_score(score::kBan, "cut off " + better_text(*view.better));
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
  // A single look that finds no active may fall into a change of roles.
  if (score::points(memory.score) >= score::points(score::kSynced) &&
      !std::exchange(memory.was_alone, true))
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
  if (waited && (memory.refused || memory.unfit || view.better != nullptr)) memory.let_go = true;
  if (memory.unfit) {
    co_await cluster_.set_score(memory.let_go ? score::kStale : score::kBan,
                                "no active; a server here could not be promoted");
    co_return;
  }
  if (view.better == nullptr) {
    std::string why =
        fmt::format("no active; of {} nobody is ahead of {}", joined(view.present, ", "), at);
    if (!missing.empty()) why += "; gave up waiting for " + joined(missing, ", ");
    co_await cluster_.set_score(score::kBestSeen, why);
  } else if (memory.let_go) {
    co_await cluster_.set_score(score::kStale, "no active, and nobody promotes the better copy: " +
                                                   better_text(*view.better));
  } else {
    co_await cluster_.set_score(score::kBan, "no active; " + better_text(*view.better));
  }
}

}  // namespace tandem::agent
