#include "server/database/lock_table.h"

#include <algorithm>

namespace tandem {

bool LockTable::Lock::knows(SessionId session) const {
  return std::find(robbed.begin(), robbed.end(), session) != robbed.end() ||
         std::any_of(queue.begin(), queue.end(),
                     [session](const Claim& claim) { return claim.session == session; });
}

std::optional<LockTable::Acquired> LockTable::acquire(SessionId session, const std::string& name,
                                                      Mode mode) {
  Lock& lock = locks_[name];
  if (lock.knows(session)) return std::nullopt;
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
  const auto found = locks_.find(name);
  if (found == locks_.end() || !found->second.knows(session)) return false;
  Lock& lock = found->second;
  const auto left =
      std::erase_if(lock.queue, [session](const Claim& claim) { return claim.session == session; });
  std::erase(lock.robbed, session);
  if (left > 0 && !lock.queue.empty()) {
    notices.push_back({lock.queue.front().session, name, false});
  }
  if (lock.queue.empty() && lock.robbed.empty()) locks_.erase(found);
  return true;
}

std::vector<LockTable::Notice> LockTable::release_all(SessionId session) {
  std::vector<std::string> names;
  for (const auto& [name, lock] : locks_) {
    if (lock.knows(session)) names.push_back(name);
  }
  std::vector<Notice> notices;
  for (const std::string& name : names) release(session, name, notices);
  return notices;
}

bool LockTable::owns(SessionId session, std::string_view name) const {
  const auto found = locks_.find(name);
  return found != locks_.end() && !found->second.queue.empty() &&
         found->second.queue.front().session == session;
}

}  // namespace tandem
