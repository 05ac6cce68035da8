#include "ocf/agent/decision/keeper.h"

#include <algorithm>

namespace tandem::agent {

namespace {

using Role = ServerState::Role;

constexpr std::int64_t kLookMs = 1'000;    ///< how often the servers are asked
constexpr std::int64_t kRoundMs = 30'000;  ///< for one look and what follows from it

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
    case Tenure::Right::kLost:
      co_return false;
  }
  co_return false;
}

/// With the lock. Pacemaker is told of a server that cannot be restarted.
Task<> repair(Desk& desk, Tenure& tenure) {
  const bool unmanaged = co_await tenure.is_unmanaged();
  const bool maintenance = co_await tenure.is_in_maintenance(false);
  if (unmanaged || maintenance) co_return;
  const Tenure::Right right = co_await tenure.look();
  if (right != Tenure::Right::kHeld) co_return;
  const bool repaired = co_await tenure.put_both_right(Role::kActive);
  if (repaired) {
    (void)co_await tenure.grant(desk.memory.granted_ms);
    co_await tenure.announce();
  } else {
    (void)co_await desk.ask(ReportFailure{}, 5'000);
    desk.memory.keeping = false;
  }
}

}  // namespace

Task<> keep(Desk& desk, Servers& servers, Tenure& tenure) {
  std::int64_t granted_at = 0;  // here
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
      const Answer lock = co_await desk.ask(TakeLock{}, kLookMs);
      if (lock.done()) {
        const Answer now = co_await desk.ask(ReadMemory{}, kLookMs);
        desk.memory = Memory::from_text(now.text);
        if (desk.memory.keeping) co_await repair(desk, tenure);
        (void)co_await desk.insist(ReleaseLock{}, kLookMs);
      }
      (void)co_await desk.ask(Pause{}, kLookMs / 4);
      continue;
    }
    if (!tenure.has_leases() || desk.memory.granted_ms == 0) continue;
    const std::int64_t since = std::max(granted_at, desk.memory.granted_at);
    if (desk.now_ms() < since + desk.memory.granted_ms * 3 / 4) continue;
    const Tenure::Right right = co_await tenure.look();
    if (!co_await may_grant(tenure, right, servers.is_writable())) continue;
    if (!co_await tenure.grant(desk.memory.granted_ms)) continue;
    granted_at = desk.now_ms();
    if (right == Tenure::Right::kHeld) co_await tenure.announce();
  }
}

}  // namespace tandem::agent
