#include "server/writer/mailbox.h"

#include <utility>

namespace tandem {

void Mailbox::put(Task task) { staged_.push_back(std::move(task)); }

void Mailbox::flush() {
  if (staged_.empty()) return;
  {
    MutexLock lock(mutex_);
    if (posted_.empty()) {
      posted_.swap(staged_);
    } else {
      for (Task& task : staged_) posted_.push_back(std::move(task));
      staged_.clear();
    }
    if (draining_) return;
    draining_ = true;
  }
  if (runner_.is_current()) {
    due_ = true;
  } else {
    runner_.post([this] { drain(); });
  }
}

void Mailbox::deliver(bool own) {
  if (own) {
    if (runner_.is_current() && due_.exchange(false)) drain();
  } else if (due_.exchange(false)) {
    runner_.post([this] { drain(); });
  }
}

void Mailbox::drain() {
  std::vector<Task> tasks;
  for (;;) {
    {
      MutexLock lock(mutex_);
      tasks.clear();
      tasks.swap(posted_);
      if (tasks.empty()) {
        draining_ = false;
        return;
      }
    }
    for (Task& task : tasks) task();
  }
}

}  // namespace tandem
