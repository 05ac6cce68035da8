// The monitor, as what Pacemaker's look at each role does.

#include <fmt/core.h>

#include "ocf/agent/decision/actions.h"

namespace tandem::agent {

namespace {

using Role = ServerState::Role;

/// A monitor that comes between the early demotion and Pacemaker's would promote again. If
/// Pacemaker has thought better of it, a later one does.
constexpr std::int64_t kLeavingMs = 5'000;

}  // namespace

/// Looks only.
Exit Actions::seen() const {
  if (servers_.both_are(Role::kGone)) return Exit::kNotRunning;
  if (servers_.any_is(Role::kHung)) return Exit::kError;
  return servers_.any_is(Role::kActive) ? Exit::kPromoted : Exit::kSuccess;
}

/// The keeper holds the lock, and restarts a server that is gone: it has a deadline, and tells
/// Pacemaker if nothing comes of it. A failure now would only make the start begin anew.
bool Actions::is_restarted() const {
  return desk_.order.promoted && desk_.memory.keeping && !servers_.any_is(Role::kHung);
}

Task<> Actions::monitor() {
  co_await servers_.survey();
  if (desk_.order.only_looks) {
    desk_.tell(is_restarted() ? Exit::kPromoted : seen());
    co_return;
  }
  const Role role = desk_.order.promoted ? Role::kActive : Role::kBackup;
  if (servers_.both_are(Role::kGone) && !desk_.memory.started) {
    desk_.tell(seen());
    co_return;
  }
  if (desk_.order.interval_ms == 0) {
    const bool is_known = desk_.memory.started && co_await is_published();
    if (!is_known) co_await adopt();
    desk_.tell(seen());
    co_return;
  }
  // Pacemaker has given the role, also where that is not remembered here.
  desk_.memory.started = true;
  if (!servers_.both_are(role)) {
    const bool unmanaged = co_await tenure_.is_unmanaged();
    if (unmanaged) {
      desk_.warn(fmt::format("the servers are {}: left alone, as the resource is not managed",
                             servers_.roles_text()));
      if (role == Role::kActive && servers_.is_writable()) {
        const Tenure::Right right = co_await tenure_.look();
        if (right == Tenure::Right::kHeld) (void)co_await tenure_.grant(tenure_.lease_ms());
      }
      desk_.tell(seen());
      co_return;
    }
  }
  if (desk_.order.promoted) {
    co_await monitor_active();
  } else {
    co_await monitor_backup();
  }
}

/// Does the cluster know of this instance? A Pacemaker that was started anew has forgotten all that
/// was published.
Task<bool> Actions::is_published() {
  co_await cluster_.look_around();
  co_return !cluster_.bulletin().readable || cluster_.bulletin().of(desk_.order.node) != nullptr;
}

/// Servers that Pacemaker finds running, as after its restart in maintenance, are as good as
/// started by it, but have no score any more. An active would lose its role: it keeps it, if no
/// other is active or being promoted, nor any copy ahead, and it was in the list of full copies.
Task<> Actions::adopt() {
  desk_.memory.started = true;
  co_await cluster_.look_around();
  if (servers_.both_are(Role::kBackup)) {
    co_await election_.publish_backup();
    co_await election_.judge();
    co_return;
  }
  if (!servers_.both_links_are("writable")) co_return;
  const std::string objection = co_await objection_to_adoption();
  if (objection.empty()) {
    co_await tenure_.announce();
  } else {
    desk_.warn("an active was found here, and gets no score: " + objection);
  }
}

Task<std::string> Actions::objection_to_adoption() {
  for (const Notice::Word word :
       {Notice::Word::kActive, Notice::Word::kFinal, Notice::Word::kSilent}) {
    const Names others = difference(cluster_.nodes_that_said(word), {desk_.order.node});
    if (!others.empty()) co_return "a promotion is under way, or done, at " + joined(others, ", ");
  }
  const std::string objection = co_await election_.objection_to_return();
  if (!objection.empty()) co_return objection;
  const std::optional<Names> copies = co_await cluster_.look_at_copies();
  if (!copies) co_return "the cluster does not say which nodes had full copies";
  if (!copies->empty() && !contains(*copies, desk_.order.node)) co_return "it had no full copy";
  desk_.memory.undecided = difference(*copies, {desk_.order.node});
  co_return "";
}

Task<> Actions::monitor_active() {
  Memory& memory = desk_.memory;
  if (memory.leaving_since && desk_.now_ms() - *memory.leaving_since < kLeavingMs &&
      servers_.both_are(Role::kBackup)) {
    desk_.tell(Exit::kPromoted);
    co_return;
  }
  memory.leaving_since.reset();
  const Tenure::Right right = co_await tenure_.look();
  if (right != Tenure::Right::kHeld) {
    co_await doubt(right);
    co_return;
  }
  if (!co_await tenure_.put_both_right(Role::kActive)) {
    desk_.tell(tenure_.passes_on() ? Exit::kPromoted : Exit::kFailedPromoted);
    co_return;
  }
  if (!servers_.can_write()) {
    const bool passed_on = co_await tenure_.pass_on();
    if (passed_on) {
      desk_.tell(Exit::kPromoted);
      co_return;
    }
    desk_.warn("a server cannot write to its disk, and no backup has all that it has");
  }
  if (const std::string deaf = servers_.deafness(); !deaf.empty())
    desk_.warn("clients cannot connect: " + deaf);
  if (servers_.any_link_is("expired")) {
    const bool may_return = co_await tenure_.may_return();
    if (!may_return) {
      co_await doubt(Tenure::Right::kUnknown);
      co_return;
    }
    if (!tenure_.has_leases()) co_await servers_.end_leases();
  }
  if (!co_await tenure_.grant(tenure_.lease_ms())) {
    desk_.reason("another instance was made active since the promotion of this one");
    desk_.tell(Exit::kFailedPromoted);
    co_return;
  }
  memory.keeping = true;
  co_await tenure_.announce();
  desk_.tell(Exit::kPromoted);
  co_await tend_active();
}

/// This node cannot make sure of its role. What goes on for longer than a lease is a failure, so
/// that Pacemaker makes another one active; but what is to be done without quorum Pacemaker knows
/// itself.
Task<> Actions::doubt(Tenure::Right right) {
  std::optional<std::int64_t>& since = desk_.memory.unsure_since;
  const bool is_first = !since;
  if (is_first) since = desk_.now_ms();
  switch (right) {
    case Tenure::Right::kHeld:
      break;
    case Tenure::Right::kLost:
      since.reset();
      [[fallthrough]];
    case Tenure::Right::kBeside:
    case Tenure::Right::kReplaced:
      desk_.warn("no right to the role: the right to write ends here");
      co_await tenure_.revoke();
      // Of two that call themselves active Pacemaker might choose this one, and end the other.
      if (right != Tenure::Right::kLost)
        co_await cluster_.set_score(score::kBan, "another one was promoted later");
      break;
    case Tenure::Right::kUnseen:
      desk_.warn("what the other instances say cannot be seen: the role is granted on once");
      if (is_first && servers_.is_writable()) (void)co_await tenure_.grant(tenure_.lease_ms());
      break;
    case Tenure::Right::kUnknown:
      desk_.warn("the cluster does not answer: the role is not granted on");
      break;
  }
  const bool too_long =
      tenure_.has_leases() && since && desk_.now_ms() - *since >= tenure_.lease_ms();
  if (too_long) desk_.reason("this node could not make sure of its role for a whole lease");
  const bool replaced = right == Tenure::Right::kReplaced;
  if (replaced) desk_.reason("another instance was promoted since the promotion of this one");
  const bool fails = too_long || replaced || !servers_.both_are(Role::kActive);
  desk_.tell(fails ? Exit::kFailedPromoted : Exit::kPromoted);
}

/// Does what Pacemaker need not wait for.
Task<> Actions::tend_active() {
  (void)co_await desk_.ask(StartKeeper{}, 1000);
  co_await cluster_.remember_copies();
  if (!cluster_.nodes_that_said(Notice::Word::kStopped).empty()) {
    // One of them may have been started meanwhile.
    co_await Join(list(cluster_.look_at_scores(), cluster_.look_around()));
    co_await cluster_.sweep_scores();
  }
  co_await cluster_.name_active();
  co_await servers_.name_node();
  co_await serve();
}

Task<bool> Actions::follows(std::string active) {
  for (const Which which : kBoth) {
    std::string source = servers_[which].source;
    if (source.empty()) {
      const Answer answer =
          co_await desk_.ask(command(which, "ovsdb-server/get-active-ovsdb-server"),
                             desk_.settings().control_timeout_ms);
      source = answer.text;
    }
    while (!source.empty() && source.back() == '\n') source.pop_back();
    if (source != desk_.settings().remote_of_active(which, active)) co_return false;
  }
  co_return true;
}

Task<> Actions::monitor_backup() {
  co_await Join(list(stop_northd(), cluster_.look_around()));
  if (!co_await tenure_.put_both_right(Role::kBackup)) {
    desk_.tell(Exit::kError);
    co_return;
  }
  if (!servers_.both_links_are("replicating")) {
    const std::string active = election_.active_node();
    bool told = active.empty();
    if (!told) told = co_await follows(active);
    if (!told) {
      desk_.info("following the active on " + active);
      desk_.memory.was_cut_off = false;
      co_await servers_.tell_both_to_follow(active, cluster_.bulletin());
    }
  }
  co_await servers_.name_node();
  co_await election_.publish_backup();
  co_await election_.judge();
  desk_.tell(Exit::kSuccess);
}

}  // namespace tandem::agent
