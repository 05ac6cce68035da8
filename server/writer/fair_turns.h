#pragma once

// Sessions share the writer. Jobs run in order of submission as long as they are quick; but once
// the jobs of one session have taken a turn's time in a batch, its others wait, and run a turn a
// batch from then on: what others hand in meanwhile comes first. So a client that pipelines
// hundreds of costly transactions waits for itself, and the others for one turn of it.

#include <cstdint>
#include <deque>
#include <list>
#include <memory>

#include "server/base/clock.h"
#include "server/base/task.h"
#include "server/writer/lock_table.h"

namespace tandem {

/// The jobs of one session, as the writer sees them. Whoever submits holds it; its contents are the
/// writer's.
class Lane {
 public:
  /// The runner is that of the session, and lends its thread for what waits.
  Lane(SessionId session, TaskRunner& runner) : session_(session), runner_(runner) {}
  SessionId session() const { return session_; }
  TaskRunner& runner() const { return runner_; }

 private:
  friend class FairTurns;
  const SessionId session_;
  TaskRunner& runner_;
  std::list<Task> waiting_;
  std::uint64_t batch_ = 0;  ///< in which spent_us_ was spent
  std::int64_t spent_us_ = 0;
};
using LaneRef = std::shared_ptr<Lane>;

/// Decides on the writer whose job runs now.
class FairTurns {
 public:
  static constexpr std::int64_t kTurnUs = 2000;

  explicit FairTurns(const Clock& clock) : clock_(clock) {}

  /// Runs the job, or keeps it for a later turn of its lane.
  template <class Job>
  void run(const LaneRef& lane, Job& job) {
    if (!may_run(*lane)) return keep(lane, Task(std::move(job)));
    const std::int64_t begun_us = last_us_ != 0 ? last_us_ : clock_.monotonic_us();
    job();
    last_us_ = clock_.monotonic_us();
    lane->spent_us_ += last_us_ - begun_us;
  }
  /// Runs a turn of the lane that has waited longest.
  void run_waiting();
  /// The session is gone: nobody waits for what the lane has kept.
  void drop(Lane& lane) { lane.waiting_.clear(); }
  /// A batch has ended.
  void end_batch() {
    ++batch_;
    last_us_ = 0;
  }
  /// The lanes in which something waits.
  const std::deque<LaneRef>& waiting() const { return lanes_; }
  /// The lane whose turn comes next; null if nothing waits.
  const Lane* next() const { return lanes_.empty() ? nullptr : lanes_.front().get(); }

 private:
  bool may_run(Lane& lane) const;
  void keep(const LaneRef& lane, Task job);

  const Clock& clock_;
  std::uint64_t batch_ = 1;
  std::int64_t last_us_ = 0;   ///< when a job ended in this batch; 0: none has
  std::deque<LaneRef> lanes_;  ///< those in which something waited, in order of their turns
};

}  // namespace tandem
