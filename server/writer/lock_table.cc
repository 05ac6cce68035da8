#include "server/writer/lock_table.h"

#include <algorithm>

namespace tandem {

std::optional<LockTable::Acquired> LockTable::acquire(SessionId session, const std::string& name,
                                                      Mode mode) {
  const auto at = locks_.try_emplace(name).first;
  Lock& lock = at->second;
  if (!claims_[session].insert(at->first).second) return std::nullopt;
  Acquired acquired;
  if (mode == Mode::kSteal) {
    if (!lock.queue.empty()) {
      const Claim victim = lock.queue.front();
      acquired.notices.push_back({victim.session, name, true});
      if (victim.mode == Mode::kSteal) {
        lock.queue.pop_front();
        lock.robbed.push_back(victim.session);
      }
    }
    lock.queue.push_front({session, mode});
  } else {
    lock.queue.push_back({session, mode});
  }
  acquired.owned = lock.queue.front().session == session;
  return acquired;
}

bool LockTable::release(SessionId session, const std::string& name, std::vector<Notice>& notices) {
  const auto claims = claims_.find(session);
  if (claims == claims_.end() || claims->second.erase(name) == 0) return false;
  if (claims->second.empty()) claims_.erase(claims);
  leave(session, locks_.find(name), notices);
  return true;
}

void LockTable::leave(SessionId session, Locks::iterator at, std::vector<Notice>& notices) {
  Lock& lock = at->second;
  const auto left =
      std::erase_if(lock.queue, [session](const Claim& claim) { return claim.session == session; });
  std::erase(lock.robbed, session);
  if (left > 0 && !lock.queue.empty()) {
    notices.push_back({lock.queue.front().session, at->first, false});
  }
  if (lock.queue.empty() && lock.robbed.empty()) locks_.erase(at);
}

std::vector<LockTable::Notice> LockTable::release_all(SessionId session) {
  std::vector<Notice> notices;
  const auto claims = claims_.extract(session);
  if (claims.empty()) return notices;
  for (const std::string_view name : claims.mapped()) leave(session, locks_.find(name), notices);
  return notices;
}

std::size_t LockTable::count(SessionId session) const {
  const auto claims = claims_.find(session);
  return claims == claims_.end() ? 0 : claims->second.size();
}

bool LockTable::owns(SessionId session, std::string_view name) const {
  const auto found = locks_.find(name);
  return found != locks_.end() && !found->second.queue.empty() &&
         found->second.queue.front().session == session;
}

}  // namespace tandem
