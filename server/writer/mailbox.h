#pragma once

#include <atomic>
#include <vector>

#include "server/base/task.h"
#include "server/posix/mutex.h"

namespace tandem {

/// What the writer has for one I/O thread, in the order in which the writer published it: commits,
/// replies, snapshots. One wake-up carries all of a batch. put() and flush() are the writer's; the
/// tasks run on the runner's thread, and never inside the writer: a thread that is both delivers
/// when it has stopped being the writer. Must outlive the runner's last task.
class Mailbox {
 public:
  explicit Mailbox(TaskRunner& runner) : runner_(runner) {}

  void put(Task task);
  /// Hands over what was put: wakes the runner up, or, on the runner's own thread, leaves it to
  /// deliver().
  void flush();
  /// Sees to what a flush() on this thread has left: runs it, if this is the runner's thread and
  /// still its `own` (TaskRunner::take_back()). Not for the writer.
  void deliver(bool own);

  TaskRunner& runner() { return runner_; }

 private:
  void drain();

  TaskRunner& runner_;
  std::vector<Task> staged_;  // the writer's own
  Mutex mutex_;
  std::vector<Task> posted_ GUARDED_BY(mutex_);
  bool draining_ GUARDED_BY(mutex_) = false;  // somebody will see what is in posted_
  std::atomic<bool> due_ = false;             // deliver() is to drain
};

}  // namespace tandem
