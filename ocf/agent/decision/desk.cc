#include "ocf/agent/decision/desk.h"

namespace tandem::agent {

void Desk::Ask::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  const std::uint64_t id = ++desk_.last_id_;
  desk_.pending_[id] = this;
  desk_.steps_.push_back({id, std::move(what_), limit_ms_});
}

void Desk::answer(std::uint64_t id, Answer answer, std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  Ask* const ask = found->second;
  pending_.erase(found);
  ask->answer_ = std::move(answer);
  ask->waiter_.resume();
}

}  // namespace tandem::agent
