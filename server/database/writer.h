#pragma once

// One writer owns all databases. It is a strand, not a thread: whoever hands in a job while nobody
// writes becomes the writer, on its own runner, after the handlers that are already due there. So a
// lone client's transaction crosses no thread (a hand-over and back costs about as much as the
// transaction itself), and under load the jobs that gather meanwhile make one batch, with one log
// write and one wake-up a client thread. Rejected: a thread of its own (two wake-ups a
// transaction); a mutex around the database (no batches).

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
  explicit Writer(std::function<void()> end_batch) : end_batch_(std::move(end_batch)) {}

  /// Runs the job on the writer, in order of submission. Thread-safe; returns at once. `runner`
  /// lends its thread when nobody writes now: pass the caller's own.
  void submit(Task job, TaskRunner& runner);

  /// Runs the job on the writer and returns when it has run: on this thread if nobody writes now.
  /// For control commands; never from a job. `runner` takes over what else has gathered.
  void call(Task job, TaskRunner& runner);

 private:
  enum class State : std::uint8_t {
    kIdle,     ///< the queue is empty
    kPosted,   ///< a runner has been asked; call() may be quicker, and must be if it is on its
               ///< thread
    kRunning,  ///< somebody is in run()
  };
  /// What was posted to a runner.
  void start(TaskRunner& runner);
  void run(TaskRunner& runner);

  // Batches in a row on one borrowed thread before its own work gets a turn.
  static constexpr int kMaxBatches = 4;

  std::function<void()> end_batch_;
  std::mutex mutex_;
  std::condition_variable called_;  // a job of call() has run
  std::vector<Task> queue_;         // under mutex_
  State state_ = State::kIdle;      // under mutex_
};

}  // namespace tandem
