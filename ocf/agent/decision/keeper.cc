#include "ocf/agent/decision/keeper.h"

#include <algorithm>

namespace tandem::agent {

namespace {

using Role = ServerState::Role;

constexpr std::int64_t kLookMs = 1'000;    ///< how often the servers are asked
constexpr std::int64_t kRoundMs = 30'000;  ///< for one look and what follows from it
/// Nothing is asked twice without a pause, however quickly it is answered: after something was done
/// about a dead server, and after nothing could be done, which takes some programs to find out.
constexpr std::int64_t kShortPauseMs = 250;
constexpr std::int64_t kLongPauseMs = 5'000;

/// May the lease be granted on although the cluster does not answer, or after it has run out? Only
/// where nobody moves the role.
Task<bool> may_grant(Tenure& tenure, Tenure::Right right, bool writable) {
  switch (right) {
    case Tenure::Right::kHeld:
      if (writable) co_return true;
      co_return co_await tenure.is_in_maintenance(false);
    case Tenure::Right::kUnknown:
      if (!writable) co_return false;
      co_return co_await tenure.is_in_maintenance(true);
    case Tenure::Right::kUnseen:
    case Tenure::Right::kBeside:
    case Tenure::Right::kLost:
    case Tenure::Right::kReplaced:
      co_return false;
  }
  co_return false;
}

/// Takes the lock that actions hold, and the memory as they have left it. False: one holds it, or
/// the role has ended.
Task<bool> take_role(Desk& desk) {
  const Answer lock = co_await desk.ask(TakeLock{}, kLookMs);
  if (!lock.done()) co_return false;
  const Answer now = co_await desk.ask(ReadMemory{}, kLookMs);
  desk.memory = Memory::from_text(now.text);
  if (desk.memory.keeping) co_return true;
  (void)co_await desk.insist(ReleaseLock{}, kLookMs);
  co_return false;
}

/// With the lock. Pacemaker is told of a server that cannot be restarted. False: nothing may be
/// done now.
Task<bool> repair(Desk& desk, Tenure& tenure) {
  const bool unmanaged = co_await tenure.is_unmanaged();
  if (unmanaged) co_return false;
  const bool maintenance = co_await tenure.is_in_maintenance(false);
  if (maintenance) co_return false;
  const Tenure::Right right = co_await tenure.look();
  if (right != Tenure::Right::kHeld) co_return false;
  // A server may start for as long as the operations may take.
  desk.extend(std::max(kRoundMs, desk.order.budget_ms()));
  const bool repaired = co_await tenure.put_both_right(Role::kActive);
  if (repaired) {
    (void)co_await tenure.grant(desk.memory.granted_ms);
    co_await tenure.announce();
  } else if (!tenure.passes_on()) {
    // Of a failed instance Pacemaker waits for the new start before it promotes another one.
    (void)co_await desk.ask(ReportFailure{}, 5'000);
    desk.memory.keeping = false;
  }
  co_return true;
}

/// Restarts a server that is gone or hangs, if that may be. Returns the pause after it.
Task<std::int64_t> look_after(Desk& desk, Tenure& tenure) {
  const bool taken = co_await take_role(desk);
  if (!taken) co_return kShortPauseMs;
  const bool done = co_await repair(desk, tenure);
  (void)co_await desk.insist(ReleaseLock{}, kLookMs);
  co_return done ? kShortPauseMs : kLongPauseMs;
}

/// Passes the role on. With the lock and what is remembered then.
Task<> give_up(Desk& desk, Tenure& tenure) {
  const Tenure::Right right = co_await tenure.look();
  if (right != Tenure::Right::kHeld) co_return;
  const bool taken = co_await take_role(desk);
  if (!taken) co_return;
  (void)co_await tenure.pass_on();
  (void)co_await desk.insist(ReleaseLock{}, kLookMs);
}

/// Grants the role on. With the lock and what is remembered then: it may have ended meanwhile.
/// False: it was not granted.
Task<bool> grant_on(Desk& desk, Servers& servers, Tenure& tenure) {
  const Tenure::Right right = co_await tenure.look();
  const bool writable = servers.is_writable();
  bool may = co_await may_grant(tenure, right, writable);
  if (!may) co_return false;
  const bool taken = co_await take_role(desk);
  if (!taken) co_return false;
  if (!writable) may = co_await tenure.may_return();
  bool granted = false;
  if (may) granted = co_await tenure.grant(desk.memory.granted_ms);
  if (granted) desk.memory.unsure_since.reset();
  if (granted && right == Tenure::Right::kHeld && servers.can_write()) co_await tenure.announce();
  (void)co_await desk.insist(ReleaseLock{}, kLookMs);
  co_return granted;
}

}  // namespace

Task<> keep(Desk& desk, Servers& servers, Tenure& tenure) {
  std::int64_t tried_at = 0;
  std::int64_t passes_at = 0;
  for (;;) {
    desk.extend(kRoundMs);
    const Answer lost = co_await desk.ask(Watch{}, kLookMs);
    desk.extend(kRoundMs);
    const Answer kept = co_await desk.ask(ReadMemory{}, kLookMs);
    desk.memory = Memory::from_text(kept.text);
    if (!desk.memory.keeping) co_return;
    if (lost.done() && lost.text == "monitored") {
      (void)co_await desk.ask(Pause{}, kLookMs);
      continue;
    }
    co_await servers.survey();
    if (servers.any_is(Role::kBackup) && !servers.any_is(Role::kActive)) co_return;
    if (servers.any_is(Role::kGone) || servers.any_is(Role::kHung)) {
      // A server that was told to end is an administrator's, or an action's: the next monitor sees
      // it.
      std::int64_t pause_ms = kLongPauseMs;
      if (!servers.any_was_ended()) pause_ms = co_await look_after(desk, tenure);
      desk.extend(kRoundMs);
      (void)co_await desk.ask(Pause{}, pause_ms);
      continue;
    }
    // Meanwhile, and where nobody takes the role, readers are served.
    if (!servers.can_write() && desk.memory.score != score::kBan && desk.now_ms() >= passes_at) {
      co_await give_up(desk, tenure);
      passes_at = desk.now_ms() + kLongPauseMs;
      desk.extend(kRoundMs);
    }
    const std::int64_t lease_ms = desk.memory.granted_ms;
    const bool is_due = tenure.has_leases() && lease_ms > 0 &&
                        desk.now_ms() >= desk.memory.granted_at + lease_ms * 3 / 4 &&
                        desk.now_ms() >= tried_at + std::min(kLongPauseMs, lease_ms / 8);
    if (is_due) {
      const bool granted = co_await grant_on(desk, servers, tenure);
      if (!granted) tried_at = desk.now_ms();
    }
    // A connection that was lost, to a server that is well, may be lost again at once.
    if (lost.outcome != Answer::Outcome::kSilent) (void)co_await desk.ask(Pause{}, kLookMs);
  }
}

}  // namespace tandem::agent
