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
// (TaskRunner::post_lent): its clients are served by another one meanwhile. Jobs that only read
// need no disk: when a write of the log does not return, another thread stands in for the writer
// and runs them on what is published, a few at a time, as its own clients wait meanwhile, too. The
// writer goes on when that one has ended.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "server/base/task.h"
#include "server/posix/mutex.h"
#include "server/writer/lock_table.h"

namespace tandem {

class Writer {
 public:
  using Sessions = std::set<SessionId>;
  /// Sees to it that a thread that stands in finds what it may read. Never called while another
  /// call, or a job, is under way.
  class StandIn {
   public:
    virtual ~StandIn() = default;
    /// From now on jobs that only read see what is published. Adds the sessions that wait for an
    /// answer: what they have asked for since comes behind it.
    virtual void begin(Sessions& waiting) = 0;
    /// Some jobs have run: hands over what they have for clients.
    virtual void end_turn() = 0;
    /// On the writer: the disk has answered. All is to be as it was before begin().
    virtual void end() = 0;
  };

  /// `end_batch` writes the log and publishes; it runs after each batch of jobs, on the writer.
  /// `left` runs after that on the same thread, which is not the writer any more; `own`: it is
  /// still its runner's, and may do what is to be done there. Without `stand_in` all jobs wait for
  /// the disk.
  Writer(std::function<void()> end_batch, std::function<void(bool own)> left,
         StandIn* stand_in = nullptr)
      : end_batch_(std::move(end_batch)), left_(std::move(left)), stand_in_(stand_in) {}

  /// Whose job it is, for those of sessions.
  struct Origin {
    SessionId session;
    bool only_reads;
  };
  /// Runs the job on the writer, in order of submission. Thread-safe; returns at once. `runner`
  /// lends its thread when nobody writes now: pass the caller's own.
  void submit(Task job, TaskRunner& runner, std::optional<Origin> origin = {});

  /// Runs the job on the writer and returns when it has run: on this thread if nobody writes now.
  /// For control commands; never from a job. `runner` is the caller's own.
  void call(Task job, TaskRunner& runner);

  /// Runs `disk`, which waits for a disk, and returns its value. On the writer; it changes nothing
  /// that jobs or the StandIn see.
  template <class Disk>
  auto wait_for(Disk&& disk) {
    begin_wait();
    auto result = disk();
    end_wait();
    return result;
  }
  /// To be called from time to time while somebody may write. If it has seen the same wait so
  /// often, a thread stands in: first the runner's, then those of who submits more. False if nobody
  /// writes. Thread-safe.
  static constexpr int kPatience = 5;
  bool look(TaskRunner& runner);

 private:
  enum class State : std::uint8_t {
    kIdle,     ///< the queue is empty
    kPosted,   ///< a runner has been asked; whoever comes first takes over
    kRunning,  ///< somebody is in run()
  };
  struct Job {
    Task task;  ///< empty: has run already
    TaskRunner* runner;
    std::optional<Origin> origin;
  };
  void ask(TaskRunner& runner);
  /// What was posted to a runner.
  void start(TaskRunner& runner);
  /// Runs a batch, and whom it asks to go on. Requires that state_ has become kRunning by the
  /// caller.
  void run(TaskRunner& runner);

  void begin_wait();
  void end_wait();
  void ask_stand_in(TaskRunner& runner) REQUIRES(mutex_);
  void stand_in();
  /// Moves to reads_ all jobs that only read, but those behind a write of their own session.
  void take_reads() REQUIRES(mutex_);

  std::function<void()> end_batch_;
  std::function<void(bool own)> left_;
  StandIn* const stand_in_;
  std::vector<Job> batch_;  // the writer's own; under mutex_ while it waits
  std::size_t next_ = 0;    // the job of the batch that comes next
  Mutex mutex_;
  ConditionVariable called_;  // a job of call() has run, or nobody is in run() or stand_in()
  std::vector<Job> queue_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_) = State::kIdle;

  std::uint64_t waits_ GUARDED_BY(mutex_) = 0;      // how often it has begun to wait for a disk
  bool is_waiting_ GUARDED_BY(mutex_) = false;      // it waits for a disk now
  std::uint64_t seen_wait_ GUARDED_BY(mutex_) = 0;  // the wait that look() saw last
  int looks_ GUARDED_BY(mutex_) = 0;                // how often it has seen that one
  bool is_stuck_ GUARDED_BY(mutex_) = false;        // it has seen this one kPatience times
  bool is_asked_ GUARDED_BY(mutex_) = false;        // a runner has been asked to stand in
  bool is_standing_in_ GUARDED_BY(mutex_) = false;  // a runner stands in now
  // Used by whoever stands in, and by end_wait() after that:
  bool has_stood_in_ GUARDED_BY(mutex_) = false;  // a runner has, during this wait
  std::deque<Job> reads_ GUARDED_BY(mutex_);      // taken out of batch_ and queue_, oldest first
  Sessions waiting_;                              // for the answer to a write
  std::size_t sorted_ GUARDED_BY(mutex_) =
      0;  // jobs at the front of queue_ that were looked at, and stay
};

}  // namespace tandem
