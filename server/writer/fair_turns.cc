#include "server/writer/fair_turns.h"

#include <utility>

namespace tandem {

bool FairTurns::may_run(Lane& lane) const {
  if (lane.batch_ != batch_) {
    lane.batch_ = batch_;
    lane.spent_us_ = 0;
  }
  return lane.waiting_.empty() && lane.spent_us_ < kTurnUs;
}

void FairTurns::keep(const LaneRef& lane, Task job) {
  if (lane->waiting_.empty()) lanes_.push_back(lane);
  lane->waiting_.push_back(std::move(job));
}

void FairTurns::run_waiting() {
  while (!lanes_.empty() && lanes_.front()->waiting_.empty()) lanes_.pop_front();  // dropped
  if (lanes_.empty()) return;
  const LaneRef lane = std::move(lanes_.front());
  lanes_.pop_front();
  const std::int64_t end_us = clock_.monotonic_us() + kTurnUs;
  do {
    Task job = std::move(lane->waiting_.front());
    lane->waiting_.pop_front();
    job();
  } while (!lane->waiting_.empty() && clock_.monotonic_us() < end_us);
  if (!lane->waiting_.empty()) lanes_.push_back(lane);
}

}  // namespace tandem
