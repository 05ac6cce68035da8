#pragma once

// One writer owns all databases. It is a strand, not a thread: whoever hands in a job while nobody
// writes becomes the writer, on its own runner, after the handlers that are already due there. So a
// lone client's transaction crosses no thread (a hand-over and back costs about as much as the
// transaction itself), and under load the jobs that gather meanwhile make one batch, with one log
// write and one wake-up a client thread. After a batch the thread stops being the writer before it
// does anything for its own clients: what they are to be told costs nobody else's time. If more
// jobs have come, the runner of the oldest goes on. Rejected: a thread of its own (two wake-ups a
// transaction); a mutex around the database (no batches); several batches in a row on one thread
// (its clients wait for the others' jobs).
//
// A disk that hangs blocks the thread that writes to it. A runner only lends its thread for that
// (TaskRunner::post_lent): its clients are served by another one meanwhile.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "server/database/task.h"

namespace tandem {

class Writer {
 public:
  /// `end_batch` writes the log and publishes; it runs after each batch of jobs, on the writer.
  /// `left` runs after that on the same thread, which is not the writer any more; `own`: it is
  /// still its runner's, and may do what is to be done there.
  Writer(std::function<void()> end_batch, std::function<void(bool own)> left)
      : end_batch_(std::move(end_batch)), left_(std::move(left)) {}

  /// Runs the job on the writer, in order of submission. Thread-safe; returns at once. `runner`
  /// lends its thread when nobody writes now: pass the caller's own.
  void submit(Task job, TaskRunner& runner);

  /// Runs the job on the writer and returns when it has run: on this thread if nobody writes now.
  /// For control commands; never from a job. `runner` is the caller's own.
  void call(Task job, TaskRunner& runner);

 private:
  enum class State : std::uint8_t {
    kIdle,     ///< the queue is empty
    kPosted,   ///< a runner has been asked; whoever comes first takes over
    kRunning,  ///< somebody is in run()
  };
  struct Job {
    Task task;
    TaskRunner* runner;
  };
  void ask(TaskRunner& runner);
  /// What was posted to a runner.
  void start(TaskRunner& runner);
  /// Runs a batch, and whom it asks to go on. Requires that state_ has become kRunning by the
  /// caller.
  void run(TaskRunner& runner);

  std::function<void()> end_batch_;
  std::function<void(bool own)> left_;
  std::vector<Job> batch_;  // the writer's own
  std::mutex mutex_;
  std::condition_variable called_;  // a job of call() has run, or nobody is in run() any more
  std::vector<Job> queue_;          // under mutex_
  State state_ = State::kIdle;      // under mutex_
};

}  // namespace tandem
