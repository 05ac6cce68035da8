#include "ocf/agent/decision/actions.h"

#include <fmt/core.h>

#include "ocf/agent/decision/connection_row.h"
#include "ocf/agent/decision/keeper.h"

namespace tandem::agent {

namespace {

using Role = ServerState::Role;

/// A monitor that comes between the early demotion and Pacemaker's would promote again. If
/// Pacemaker has thought better of it, a later one does.
constexpr std::int64_t kLeavingMs = 5'000;
constexpr std::int64_t kNorthdMs = 10'000;

template <class... Tasks>
std::vector<Task<>> list(Tasks&&... tasks) {
  std::vector<Task<>> all;
  (all.push_back(std::forward<Tasks>(tasks)), ...);
  return all;
}

Task<> do_step(Desk& desk, Step::What what, std::int64_t limit_ms) {
  (void)co_await desk.ask(std::move(what), limit_ms);
}

Task<> stop_northd(Desk& desk) {
  if (desk.settings().manage_northd) (void)co_await desk.ask(StopNorthd{}, kNorthdMs);
}

Task<> demote_into(Servers& servers, std::string active, const Bulletin* bulletin, bool* done) {
  *done = co_await servers.demote_both(std::move(active), *bulletin);
}

Task<> stop_into(Servers& servers, bool* done) { *done = co_await servers.stop_both(); }

}  // namespace

bool is_answered_at_once(const Order& order) {
  return order.action == Order::Action::kNotify && !order.before && order.operation == "promote";
}

Task<> Actions::run() {
  switch (desk_.order.action) {
    case Order::Action::kStart:
      return start();
    case Order::Action::kStop:
      return stop();
    case Order::Action::kPromote:
      return promote();
    case Order::Action::kDemote:
      return demote();
    case Order::Action::kMonitor:
      return monitor();
    case Order::Action::kNotify:
      return notify();
    case Order::Action::kReload:
      return reload();
    case Order::Action::kKeep:
      return keep(desk_, servers_, tenure_);
  }
  return monitor();
}

// --- start and stop ---

/// A refusal outlives the restart that it causes: what was waited for goes on being waited for.
Task<> Actions::start() {
  Memory memory;
  if (desk_.memory.refused) {
    memory.refused = true;
    memory.alone_since = desk_.memory.alone_since;
    memory.let_go = desk_.memory.let_go;
  }
  desk_.memory = memory;
  co_await Join(
      list(cluster_.set_score(score::kBan, "starting"), servers_.survey(), cluster_.look_around()));
  for (const Which which : kBoth) {
    if (servers_[which].role == Role::kHung) co_await servers_.kill(which);
  }
  const std::string active = election_.active_node();
  if (!co_await servers_.demote_both(active, cluster_.bulletin())) {
    desk_.tell(Exit::kError);
    co_return;
  }
  co_await servers_.survey();
  if (!servers_.both_are(Role::kBackup)) {
    desk_.reason(fmt::format("the servers are {} after the start", servers_.roles_text()));
    desk_.tell(Exit::kError);
    co_return;
  }
  desk_.memory.started = true;
  desk_.info(fmt::format("started, following {}, at {}", active.empty() ? "nobody" : active,
                         servers_.copy().to_string()));
  co_await election_.publish_backup();
  desk_.tell(Exit::kSuccess);
}

/// If a promotion waits for this stop, the new active bans this node: a changed score would make
/// Pacemaker plan anew.
Task<> Actions::stop() {
  desk_.memory.keeping = false;
  co_await servers_.survey();
  bool stopped = false;
  co_await Join(list(stop_northd(desk_), stop_into(servers_, &stopped),
                     cluster_.publish(Notice::Word::kStopped, servers_.copy())));
  if (!stopped) {
    desk_.reason("a server could not be stopped");
    desk_.tell(Exit::kError);
    co_return;
  }
  Memory memory;
  memory.refused = desk_.memory.refused;
  memory.alone_since = desk_.memory.alone_since;
  memory.let_go = desk_.memory.let_go;
  memory.score = desk_.memory.score;
  desk_.memory = memory;
  if (desk_.order.promoting.empty()) co_await cluster_.set_score(score::kBan, "stopped");
  desk_.tell(Exit::kSuccess);
}

// --- promote ---

/// The database that decides comes last: when the other cannot be promoted (its disk is full), this
/// copy is not ahead of all others by an epoch in which nobody wrote.
Task<> Actions::promote() {
  Memory& memory = desk_.memory;
  const std::string refusal = co_await election_.refusal();
  memory.asked = memory.settled = memory.named = memory.was_alone = false;
  memory.connection = {};
  memory.leaving_since.reset();
  if (!refusal.empty()) {
    memory.refused = true;
    desk_.reason("not promoted: " + refusal);
    co_await cluster_.set_score(score::kBan, "refused " + refusal);
    desk_.tell(Exit::kError);
    co_return;
  }
  const std::string at = servers_.copy().to_string();
  Names others = desk_.order.unpromoted_nodes;
  others.insert(others.end(), desk_.order.demoting.begin(), desk_.order.demoting.end());
  // Stock agents look in the notification after the promotion.
  if (!cluster_.stock_nodes(others).empty()) co_await cluster_.name_active();
  bool promoted = co_await servers_.promote(Which::kSb, election_.greatest_epoch(Which::kSb));
  if (promoted)
    promoted = co_await servers_.promote(Which::kNb, election_.greatest_epoch(Which::kNb));
  if (!promoted) {
    (void)co_await servers_.demote_both("", cluster_.bulletin());
    desk_.tell(Exit::kError);
    co_return;
  }
  memory.refused = memory.let_go = false;
  memory.alone_since.reset();
  memory.keeping = true;
  desk_.info("promoted, at " + at);
  desk_.tell(Exit::kSuccess);
  co_await begin_as_active();
}

/// After the promotion, until the first monitor. The promotion has opened another epoch.
Task<> Actions::begin_as_active() {
  co_await servers_.survey();
  (void)co_await tenure_.grant();
  co_await tenure_.announce();
  (void)co_await desk_.ask(StartKeeper{}, 1000);
}

// --- demote ---

/// The servers follow at once the one that is promoted next, if Pacemaker has said so.
Task<> Actions::demote() {
  co_await Join(list(servers_.survey(), cluster_.look_around()));
  desk_.memory.keeping = false;
  desk_.memory.leaving_since.reset();
  if (servers_.both_are(Role::kBackup)) {
    desk_.tell(Exit::kSuccess);
    co_return;
  }
  const bool done = co_await step_down();
  desk_.tell(done ? Exit::kSuccess : Exit::kError);
}

/// Makes both servers backups, and says where they ended.
Task<bool> Actions::step_down() {
  desk_.memory.keeping = false;
  std::string next = desk_.order.promoting.empty() ? "" : desk_.order.promoting.front();
  if (next == desk_.order.node) next.clear();
  bool done = false;
  co_await Join(list(stop_northd(desk_), demote_into(servers_, next, &cluster_.bulletin(), &done)));
  co_await servers_.survey();
  if (servers_.both_are(Role::kBackup))
    co_await cluster_.publish(Notice::Word::kFinal, servers_.copy());
  co_return done;
}

// --- monitor ---

/// Looks only.
Exit Actions::seen() const {
  if (servers_.both_are(Role::kGone)) return Exit::kNotRunning;
  if (servers_.any_is(Role::kHung)) return Exit::kError;
  return servers_.any_is(Role::kActive) ? Exit::kPromoted : Exit::kSuccess;
}

Task<> Actions::monitor() {
  co_await servers_.survey();
  const Role role = desk_.order.promoted ? Role::kActive : Role::kBackup;
  if (!recurs()) {
    if (!servers_.both_are(Role::kGone)) co_await adopt();
    desk_.tell(seen());
    co_return;
  }
  if (!servers_.both_are(role)) {
    const bool unmanaged = co_await tenure_.is_unmanaged();
    if (unmanaged) {
      desk_.warn(fmt::format("the servers are {}: left alone, as the resource is not managed",
                             servers_.roles_text()));
      if (role == Role::kActive && servers_.is_writable()) {
        const Tenure::Right right = co_await tenure_.look();
        if (right == Tenure::Right::kHeld) (void)co_await tenure_.grant();
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
  for (const Notice::Word word :
       {Notice::Word::kActive, Notice::Word::kFinal, Notice::Word::kSilent}) {
    if (!difference(cluster_.nodes_that_said(word), {desk_.order.node}).empty()) co_return;
  }
  const std::string objection = co_await election_.objection_to_return();
  if (!objection.empty()) co_return;
  const std::optional<Names> copies = co_await cluster_.look_at_copies();
  if (!copies || (!copies->empty() && !contains(*copies, desk_.order.node))) co_return;
  co_await tenure_.announce();
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
    desk_.warn(right == Tenure::Right::kLost
                   ? "no right to the role: the right to write ends here"
                   : "the cluster does not answer: the role is not granted on");
    if (right == Tenure::Right::kLost) co_await tenure_.revoke();
    desk_.tell(servers_.both_are(Role::kActive) ? Exit::kPromoted : Exit::kFailedPromoted);
    co_return;
  }
  if (servers_.any_is(Role::kBackup)) {
    const std::string objection = co_await election_.objection_to_return();
    if (!objection.empty()) {
      desk_.reason("not promoted again: " + objection);
      desk_.tell(Exit::kFailedPromoted);
      co_return;
    }
  }
  if (!co_await tenure_.put_both_right(Role::kActive)) {
    desk_.tell(Exit::kFailedPromoted);
    co_return;
  }
  if (!servers_[Which::kNb].healthy || !servers_[Which::kSb].healthy) {
    desk_.reason("a server cannot write to its disk");
    desk_.tell(Exit::kFailedPromoted);
    co_return;
  }
  if (!co_await tenure_.grant()) {
    desk_.reason("another instance was made active since the promotion of this one");
    desk_.tell(Exit::kFailedPromoted);
    co_return;
  }
  memory.keeping = true;
  co_await tenure_.announce();
  desk_.tell(Exit::kPromoted);
  co_await tend_active();
}

/// What Pacemaker need not wait for.
Task<> Actions::tend_active() {
  (void)co_await desk_.ask(StartKeeper{}, 1000);
  co_await cluster_.remember_copies();
  if (!cluster_.nodes_that_said(Notice::Word::kStopped).empty()) {
    co_await cluster_.look_at_scores();
    co_await cluster_.sweep_scores();
  }
  co_await cluster_.name_active();
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
  co_await Join(list(stop_northd(desk_), cluster_.look_around()));
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
  co_await election_.publish_backup();
  co_await election_.judge();
  desk_.tell(Exit::kSuccess);
}

// --- notify ---

Task<> Actions::notify() {
  if (desk_.order.before) return notify_before();
  if (is_answered_at_once(desk_.order))
    return contains(desk_.order.promoting, desk_.order.node) ? serve() : follow();
  return [](Actions& self) -> Task<> {
    co_await Join(list(self.servers_.survey(), self.cluster_.look_around()));
    if (self.servers_.both_are(Role::kBackup)) {
      co_await self.election_.publish_backup();
      co_await self.election_.judge();
    }
    self.desk_.tell(Exit::kSuccess);
  }(*this);
}

/// Before a demotion the active steps down, if Pacemaker's order would come too late: backups
/// follow over master_ip, which stops before it.
Task<> Actions::notify_before() {
  if (desk_.order.operation == "promote") {
    co_await election_.settle();
  } else if (desk_.settings().early_demotion && desk_.settings().follows_moving_address()) {
    co_await Join(list(servers_.survey(), cluster_.look_around()));
    desk_.memory.leaving_since = desk_.now_ms();
    (void)co_await step_down();
  }
  desk_.tell(Exit::kSuccess);
}

/// What clients need not wait for after a promotion.
Task<> Actions::serve() {
  std::vector<Task<>> all;
  if (desk_.settings().manage_northd) all.push_back(do_step(desk_, StartNorthd{}, kNorthdMs));
  for (const Which which : kBoth) {
    if (!desk_.memory.connection[which]) all.push_back(serve_one(which));
  }
  co_await Join(std::move(all));
}

Task<> Actions::serve_one(Which which) {
  desk_.memory.connection[which] = co_await set_connection_row(desk_, which);
}

/// Tells the backups here that the active is on another node. Starts nothing: what does not run is
/// for the next monitor.
Task<> Actions::follow() {
  if (desk_.order.promoting.empty()) co_return;
  const std::string active = desk_.order.promoting.front();
  desk_.info("following the active on " + active);
  desk_.memory.was_cut_off = false;
  co_await cluster_.look_around();
  co_await servers_.tell_both_to_follow(active, cluster_.bulletin());
}

// --- reload ---

/// What can change while the servers run: how commits wait, and the lease. The rest is read by each
/// action anew.
Task<> Actions::reload() {
  co_await servers_.survey();
  co_await servers_.set_sync();
  if (servers_.is_writable() && desk_.settings().role_lease_s > 0) (void)co_await tenure_.grant();
  desk_.memory.connection = {};
  desk_.tell(Exit::kSuccess);
}

}  // namespace tandem::agent
