#include "server/database/lock_table.h"

#include <algorithm>

namespace tandem {

std::optional<LockTable::Acquired> LockTable::acquire(SessionId session, const std::string& lock,
                                                      Mode mode) {
  std::deque<SessionId>& queue = queues_[lock];
  if (std::find(queue.begin(), queue.end(), session) != queue.end()) return std::nullopt;
  Acquired acquired;
  if (mode == Mode::kSteal) {
    if (!queue.empty()) acquired.notices.push_back({queue.front(), lock, true});
    queue.push_front(session);
  } else {
    queue.push_back(session);
  }
  acquired.owned = queue.front() == session;
  return acquired;
}

bool LockTable::release(SessionId session, const std::string& lock, std::vector<Notice>& notices) {
  const auto found = queues_.find(lock);
  if (found == queues_.end()) return false;
  std::deque<SessionId>& queue = found->second;
  const auto place = std::find(queue.begin(), queue.end(), session);
  if (place == queue.end()) return false;
  const bool owned = place == queue.begin();
  queue.erase(place);
  if (owned && !queue.empty()) notices.push_back({queue.front(), lock, false});
  if (queue.empty()) queues_.erase(found);
  return true;
}

std::vector<LockTable::Notice> LockTable::release_all(SessionId session) {
  std::vector<std::string> names;
  for (const auto& [name, queue] : queues_) {
    if (std::find(queue.begin(), queue.end(), session) != queue.end()) names.push_back(name);
  }
  std::vector<Notice> notices;
  for (const std::string& name : names) release(session, name, notices);
  return notices;
}

bool LockTable::owns(SessionId session, std::string_view lock) const {
  const auto found = queues_.find(lock);
  return found != queues_.end() && found->second.front() == session;
}

}  // namespace tandem
