#include "ocf/agent/decision/actions.h"

#include <fmt/core.h>

#include "ocf/agent/decision/connection_row.h"
#include "ocf/agent/decision/keeper.h"

namespace tandem::agent {

namespace {

using Role = ServerState::Role;

constexpr std::int64_t kNorthdMs = 10'000;
constexpr std::int64_t kKeeperEndsMs = 2'000;

Task<> do_step(Desk& desk, Step::What what, std::int64_t limit_ms) {
  (void)co_await desk.ask(std::move(what), limit_ms);
}

Task<> nothing() { co_return; }

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

/// A refusal outlives the restart that it causes: the wait goes on. A copy that was full when an
/// active last looked counts as one until an active is heard that it does not follow.
Task<> Actions::start() {
  Memory memory = desk_.memory.without_servers();
  ++memory.turn;
  if (!memory.refused && !memory.unfit) {
    memory.alone_since.reset();
    memory.let_go = false;
  }
  desk_.memory = memory;
  std::optional<Names> copies;
  co_await Join(list(cluster_.set_score(score::kBan, "starting"), servers_.survey(),
                     cluster_.look_around(), into(cluster_.look_at_copies(), &copies)));
  const bool was_full = copies && contains(*copies, desk_.order.node);
  desk_.memory.full_by_list = was_full;
  for (const Which which : kBoth) desk_.memory.in_sync[which] = was_full;
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
  for (const Which which : kBoth) {
    // Its file, with all that it had, is gone.
    if (const auto& copy = servers_[which].copy; copy && copy->height == Height{})
      servers_.lose_sync(which);
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
  co_await end_tenure();
  co_await servers_.survey();
  bool stopped = false;
  co_await Join(list(stop_northd(), into(servers_.stop_both(), &stopped),
                     cluster_.publish(Notice::Word::kStopped, servers_.copy())));
  if (!stopped) {
    desk_.reason("a server could not be stopped");
    desk_.tell(Exit::kError);
    co_return;
  }
  Memory memory = desk_.memory.without_servers();
  memory.score = desk_.memory.score;
  desk_.memory = memory;
  if (desk_.order.promoting.empty()) co_await cluster_.set_score(score::kBan, "stopped");
  desk_.tell(Exit::kSuccess);
}

// --- promote ---

/// The database that decides comes last, so that this copy is not ahead of all others by an epoch
/// in which nobody wrote when the other one cannot be promoted (its disk is full).
Task<> Actions::promote() {
  Memory& memory = desk_.memory;
  ++memory.turn;
  const std::string refusal = co_await election_.refusal();
  memory.asked = memory.named = memory.was_alone = false;
  memory.undecided = election_.electorate();
  memory.connection = {};
  memory.leaving_since.reset();
  if (!refusal.empty()) {
    memory.refused = true;
    desk_.reason("not promoted: " + refusal);
    co_await cluster_.set_score(score::kBan, "refused " + refusal);
    desk_.tell(Exit::kError);
    co_return;
  }
  // Nor may one open an epoch that the other cannot.
  const bool they_answer = !servers_.any_is(Role::kGone) && !servers_.any_is(Role::kHung);
  if (!they_answer || !servers_.can_write() || !servers_.backups_are_fit()) {
    desk_.reason("not promoted: " +
                 (they_answer ? servers_.fault() : "the servers are " + servers_.roles_text()));
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
  memory.unfit = !promoted;
  if (!promoted) {
    (void)co_await servers_.demote_both("", cluster_.bulletin());
    co_await cluster_.publish(Notice::Word::kSilent, servers_.copy());
    desk_.tell(Exit::kError);
    co_return;
  }
  memory.forget_waiting();
  memory.keeping = true;
  desk_.info("promoted, at " + at);
  desk_.tell(Exit::kSuccess);
  co_await begin_as_active();
}

/// After the promotion, until the first monitor. The promotion has opened another epoch.
Task<> Actions::begin_as_active() {
  co_await servers_.survey();
  (void)co_await tenure_.grant(tenure_.lease_ms());
  co_await tenure_.announce();
  (void)co_await desk_.ask(StartKeeper{}, 1000);
}

// --- demote ---

/// From here on nobody grants the role on, nor starts a server again as the active: what says so
/// may not be written, or be the word of an action that cannot be waited for.
Task<> Actions::end_tenure() {
  desk_.memory.keeping = false;
  ++desk_.memory.turn;
  (void)co_await desk_.insist(EndKeeper{}, kKeeperEndsMs);
}

/// The servers follow at once the one that is promoted next, if Pacemaker has said so. No active of
/// an epoch before theirs can be that one, so the others are not looked at: clients wait.
Task<> Actions::demote() {
  co_await end_tenure();
  co_await servers_.survey();
  desk_.memory.leaving_since.reset();
  if (servers_.both_are(Role::kBackup)) {
    desk_.tell(Exit::kSuccess);
    co_return;
  }
  const bool done = co_await step_down();
  desk_.tell(done ? Exit::kSuccess : Exit::kError);
}

/// Makes both servers backups, and says where they ended. One that does not run is started by the
/// next monitor, or not at all: a failed instance is stopped after its demotion.
Task<bool> Actions::step_down() {
  std::string next = desk_.order.promoting.empty() ? "" : desk_.order.promoting.front();
  if (next == desk_.order.node) next.clear();
  bool done = false;
  co_await Join(
      list(stop_northd(), into(servers_.demote_those_that_run(next, cluster_.bulletin()), &done)));
  co_await servers_.survey();
  if (servers_.both_are(Role::kBackup))
    co_await cluster_.publish(Notice::Word::kFinal, servers_.copy());
  co_return done;
}

// --- notify ---

Task<> Actions::notify() {
  if (desk_.order.before) return notify_before();
  if (is_answered_at_once(desk_.order)) {
    // The role may have moved on since the answer.
    if (desk_.order.turn.value_or(desk_.memory.turn) != desk_.memory.turn) return nothing();
    return contains(desk_.order.promoting, desk_.order.node) ? serve() : follow();
  }
  return [](Actions& self) -> Task<> {
    co_await Join(list(self.servers_.survey(), self.cluster_.look_around()));
    if (self.servers_.both_are(Role::kBackup)) {
      co_await self.election_.publish_backup();
      co_await self.election_.judge();
    } else if (self.servers_.any_is(Role::kActive)) {
      co_await self.tenure_.give_way();
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
    co_await end_tenure();
    co_await Join(list(servers_.survey(), cluster_.look_around()));
    desk_.memory.leaving_since = desk_.now_ms();
    (void)co_await step_down();
  }
  desk_.tell(Exit::kSuccess);
}

Task<> Actions::stop_northd() {
  if (desk_.settings().manage_northd) (void)co_await desk_.ask(StopNorthd{}, kNorthdMs);
}

/// Does what clients need not wait for after a promotion. The role may have gone meanwhile.
Task<> Actions::serve() {
  if (!desk_.memory.keeping) co_return;
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
  desk_.memory.forget_waiting();
  desk_.memory.was_cut_off = false;
  co_await cluster_.look_around();
  election_.learn_epochs();
  co_await servers_.tell_both_to_follow(active, cluster_.bulletin());
}

// --- reload ---

/// Applies what can change while the servers run: how commits wait, and the lease. The keeper
/// begins anew, with these parameters; the rest is read by each action.
Task<> Actions::reload() {
  co_await servers_.survey();
  co_await servers_.set_sync();
  co_await servers_.advertise();
  if (!tenure_.has_leases()) co_await servers_.end_leases();
  if (servers_.is_writable() && desk_.settings().role_lease_s > 0)
    (void)co_await tenure_.grant(tenure_.lease_ms());
  (void)co_await desk_.insist(EndKeeper{}, kKeeperEndsMs);
  if (desk_.memory.keeping) (void)co_await desk_.ask(StartKeeper{}, 1000);
  desk_.memory.connection = {};
  desk_.tell(Exit::kSuccess);
}

}  // namespace tandem::agent
